// Whose heap is whose: bytes that the node has from operator new, apart from those of the simulated world around it, which lives in the
// same process. SQLite counts its own.
#pragma once

#include <cstdint>

namespace weir::sim {

// While it lives, what is allocated belongs to the node (or, within the node's calls, to the world).
class MemoryScope {
 public:
  explicit MemoryScope(bool node);
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  bool before_;
};

int64_t NodeBytes();      // now
int64_t NodeBytesPeak();  // since the last call

}  // namespace weir::sim
