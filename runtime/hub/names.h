// Small numbers for the names that rows repeat: feeds, types, maps, sources, kernels. Numbers
// follow arrival, so nothing that is digested or exported may show or sort by them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/hub/sqlite.h"

namespace weir::hub {

class Names {
 public:
  explicit Names(Database& db);
  int64_t Number(const char* kind, std::string_view text);  // adds it when new
  const std::string& Text(const char* kind, int64_t n) const;
  const std::vector<std::string>& All(std::string_view kind) const;  // by number

 private:
  struct Kind {
    std::map<std::string, int64_t, std::less<>> numbers;
    std::vector<std::string> texts;
  };
  std::map<std::string, Kind, std::less<>> kinds_;
  Statement insert_;
};

}  // namespace weir::hub
