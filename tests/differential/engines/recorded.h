// The messages others recorded: the repository's, and $WEIR_SHARED's where it lies.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir::engines {

struct Input {
  std::vector<std::filesystem::path> files;  // sorted
  bool shared = false;                       // some of them are $WEIR_SHARED's
};

// `source`: the root of the repository.
Input Inputs(const std::string& source);
std::vector<std::string> RecordsOf(const std::filesystem::path& path);

}  // namespace weir::engines
