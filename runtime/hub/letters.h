// Dead letters: written when a message is refused, read by cause, shown masked.
#pragma once

#include "runtime/hub/manifest.h"
#include "runtime/hub/sqlite.h"
#include "runtime/hub/terms.h"

namespace weir::hub {

class Letters {
 public:
  Letters(Database& db, const Terms& terms);
  // `detail`: the text that no row of a table translates, where the kernel said it.
  void Add(int64_t msg, int64_t feed, const SiteInfo& site, const Digest16& content, std::string_view detail);
  void Drop(int64_t msg) { drop_.Run(msg); }

 private:
  const Terms& terms_;
  Statement raw_, add_, drop_;
};

// Of a file that did not say who sent them.
bool DescribeLetters(Database& db);

}  // namespace weir::hub
