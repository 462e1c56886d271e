// The search index: which messages have a control id, which resources an identifier, which resources refer to a patient or a visit.
// It holds keyed hashes (`meta.secret`, drawn when the file is made) and is a superset: what was once said stays findable, so that a
// merged patient's old number leads to the survivor. It is filled behind the messages, by who searches and by a node with nothing
// else to do, since random inserts would cost the way in a quarter of its rate.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "runtime/hub/hash.h"
#include "runtime/hub/resources.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

class Terms {
 public:
  explicit Terms(Database& db);

  // Within the caller's transaction: indexes up to so many more rows. True: nothing is left.
  bool CatchUp(int64_t rows);

  std::vector<int64_t> MessagesWith(std::string_view control_id);
  std::vector<ResourceKey> ResourcesWith(std::string_view identifier);
  std::vector<ResourceKey> ReferrersOf(const ResourceKey& key);
  // Of a value that may be asked for, as it may be kept outside of the index: in the audit.
  int64_t Hash(std::string_view text) const;

 private:
  void AddMessage(int64_t msg, std::string_view control_id);
  void AddBody(const ResourceKey& key, std::string_view body);  // canonical JSON
  enum Kind : int64_t { kControlId = 1, kIdentifier = 2, kReference = 3 };
  bool Fresh(int64_t hash, int64_t kind, std::string_view reference);
  void Add(int64_t hash, Kind kind, const ResourceKey& key);
  std::vector<ResourceKey> Keys(int64_t hash, Kind kind);

  std::array<uint8_t, 16> secret_{};
  // What was added lately, by a hash of it: most identifiers and references come again and again.
  std::vector<int64_t> lately_;
  Statement add_, find_, load_mark_, save_mark_, messages_, bodies_;
};

}  // namespace weir::hub
