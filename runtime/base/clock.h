// The wall clock of commands; a node and its simulation have io::Io.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

inline int64_t WallMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace weir
