// run_kernel KERNEL.so FILE…: a kernel's answers to the messages of FILE, one text per message, on whatever CPU this is
// compiled for. The aarch64 test runs it natively and under qemu and compares.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/abi/weir_kernel.h"
#include "runtime/frame/framer.h"
#include "runtime/v2/reader.h"

namespace {

constexpr uint32_t kRoom = 64u << 20;

void Run(const weir_kernel& kernel, std::string_view message) {
  std::vector<uint8_t> padded(message.size() + 64);
  std::memcpy(padded.data(), message.data(), message.size());
  weir::v2::IndexBuffers buffers;
  weir_v2_index index{};
  auto size = static_cast<uint32_t>(message.size());
  if (weir::v2::BuildIndex(padded.data(), size, {}, buffers, &index) != weir::v2::IndexStatus::kOk) {
    std::puts("unreadable");
    return;
  }
  static std::vector<uint8_t> bytes(kRoom), scratch(kRoom);
  static std::vector<weir_contribution> items(4096);
  static std::vector<weir_key> keys(4096);
  weir_snapshot snapshot{sizeof(weir_snapshot), {}, nullptr, 0};
  for (uint8_t i = 0; i < 16; ++i) {
    snapshot.namespace_key[i] = i;
  }
  weir_input input{sizeof(weir_input), 0, padded.data(), size, &index};
  auto fresh = [&] {
    weir_output out{};
    out.struct_size = sizeof(out);
    out.bytes = bytes.data();
    out.capacity = kRoom;
    out.items = items.data();
    out.item_capacity = static_cast<uint32_t>(items.size());
    out.keys = keys.data();
    out.key_capacity = static_cast<uint32_t>(keys.size());
    out.scratch = scratch.data();
    out.scratch_capacity = kRoom;
    return out;
  };
  auto write = [&](uint32_t offset, uint32_t length) {
    std::fwrite(bytes.data() + offset, 1, length, stdout);
    std::putchar('\n');
  };
  weir_probe probe{};
  probe.struct_size = sizeof(probe);
  weir_output out = fresh();
  weir_status status = kernel.probe(&input, &snapshot, &out, &probe);
  std::printf("probe %d feed %d site %u time %lld\n", status, static_cast<int>(probe.feed), out.site, static_cast<long long>(probe.event_time_us));
  if (status <= WEIR_UNROUTED) {
    write(probe.key_offset, probe.key_size);
    write(probe.order_offset, probe.order_size);
    std::fwrite(probe.content_digest, 1, sizeof(probe.content_digest), stdout);
  }
  if (status != WEIR_OK) {
    return;
  }
  out = fresh();
  status = kernel.transform(probe.feed, &input, &snapshot, &out);
  std::printf("transform %d site %u degraded %u\n", status, out.site, out.counters[WEIR_COUNT_DEGRADED]);
  for (uint32_t i = 0; i < out.item_count; ++i) {
    const weir_contribution& c = items[i];
    std::printf("%u %u %u %.32s\n", c.op, c.map, c.type, c.id);
    write(c.tag_offset, c.tag_size);
    write(c.body_offset, c.body_size);
  }
  for (uint32_t i = 0; i < out.key_count; ++i) {
    std::printf("key %u %.32s %u %.32s ", keys[i].type, keys[i].id, keys[i].parent_type,
                keys[i].parent);
    std::fwrite(keys[i].own, 1, sizeof(keys[i].own), stdout);
    std::putchar('\n');
  }
}

}  // namespace

int main(int argc, char** argv) {
  void* library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
  const auto* kernel = library != nullptr ? static_cast<const weir_kernel*>(dlsym(library, "weir_kernel_v1")) : nullptr;
  if (kernel == nullptr) {
    std::fprintf(stderr, "run_kernel: no kernel: %s\n", argc > 1 ? dlerror() : "give a shared object and files");
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    std::stringstream content;
    content << std::ifstream(argv[i], std::ios::binary).rdbuf();
    weir::frame::Framer framer({}, [&](const weir::frame::Frame& frame) {
      if (frame.kind == weir::frame::FrameKind::kMessage) {
        Run(*kernel, frame.bytes);
      }
    });
    framer.Push(content.str());
    framer.Finish();
  }
  return 0;
}
