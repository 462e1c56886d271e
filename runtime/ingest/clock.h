// The commit's clock of commands that read files; a node has io::Io.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir::ingest {

inline int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace weir::ingest
