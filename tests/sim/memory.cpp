#include "tests/sim/memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

bool of_node = false;
int64_t node_bytes = 0, node_peak = 0;

struct alignas(std::max_align_t) Header {
  uint64_t bytes;
  bool of_node;
};

[[maybe_unused]] void* Allocate(size_t bytes) {
  auto* header = static_cast<Header*>(std::malloc(sizeof(Header) + bytes));
  if (header == nullptr) {
    std::abort();
  }
  *header = {bytes, of_node};
  if (of_node) {
    node_bytes += static_cast<int64_t>(bytes);
    node_peak = std::max(node_peak, node_bytes);
  }
  return header + 1;
}

[[maybe_unused]] void Release(void* memory) {
  if (memory == nullptr) {
    return;
  }
  Header* header = static_cast<Header*>(memory) - 1;
  if (header->of_node) {
    node_bytes -= static_cast<int64_t>(header->bytes);
  }
  std::free(header);
}

}  // namespace

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_SIM_KEEPS_NEW  // the sanitizer's own operators see more; nothing is counted then
#endif
#endif
#ifndef WEIR_SIM_KEEPS_NEW
void* operator new(size_t bytes) { return Allocate(bytes); }
void* operator new[](size_t bytes) { return Allocate(bytes); }
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete[](void* memory) noexcept { Release(memory); }
void operator delete(void* memory, size_t) noexcept { Release(memory); }
void operator delete[](void* memory, size_t) noexcept { Release(memory); }
#endif

namespace weir::sim {

MemoryScope::MemoryScope(bool node) : before_(std::exchange(of_node, node)) {}
MemoryScope::~MemoryScope() { of_node = before_; }

int64_t NodeBytes() { return node_bytes; }
int64_t NodeBytesPeak() { return std::exchange(node_peak, node_bytes); }

}  // namespace weir::sim
