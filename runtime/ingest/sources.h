// Paths -> a stream of chunks, in an order that does not depend on the file system.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace weir::ingest {

struct Source {
  std::string name;  // the path, or `-`
  uint64_t bytes = 0;
};

// Folders become their regular files, recursively, sorted; hidden files are left out. Missing paths
// are an error: nothing has been read yet.
Result<std::vector<Source>> ExpandPaths(const std::vector<std::string>& paths);

// False when the source cannot be read. `chunk` returns false to stop.
bool ReadChunks(const Source& source, const std::function<bool(std::string_view)>& chunk);

}  // namespace weir::ingest
