#include "tests/differential/engines/engines.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <set>

#include "compiler/jit/package.h"

namespace weir::engines {
namespace {

constexpr uint32_t kPadding = 64;  // the ABI's promise
constexpr uint32_t kOutput = 48u << 20, kScratch = 256u << 20;  // touched only as far as used
constexpr uint32_t kContributions = 1u << 12;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

}  // namespace

GuardedMessage::GuardedMessage(std::string_view message) : size_(static_cast<uint32_t>(message.size())) {
  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapped_ = (message.size() + kPadding + page - 1) / page * page + page;
  void* at = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED || mprotect(static_cast<uint8_t*>(at) + mapped_ - page, page, PROT_NONE) != 0) {
    abort();
  }
  pages_ = static_cast<uint8_t*>(at);
  uint8_t* begin = pages_ + mapped_ - page - kPadding - message.size();
  std::memcpy(begin, message.data(), message.size());
  bytes_ = begin;
}

GuardedMessage::~GuardedMessage() { munmap(pages_, mapped_); }

Engines::Engines(const ir::Module& module)
    : interp_(module, {}),
      bytes_(new uint8_t[kOutput]),
      scratch_(new uint8_t[kScratch]),
      items_(kContributions),
      keys_(kContributions) {
  for (uint8_t i = 0; i < 16; ++i) {
    snapshot_.namespace_key[i] = i;
  }
}

Result<std::unique_ptr<Engines>> Engines::Make(const ir::Module& module, const Options& options) {
  std::unique_ptr<Engines> made(new Engines(module));
  auto jit = jit::Jit(module, {.cache_dir = {}, .optimize = true, .sanitize = kSanitized});
  if (!jit) {
    return jit.error();
  }
  made->optimised_ = std::move(*jit);
  made->kernels_.emplace_back("jit", made->optimised_->kernel());
  if (options.quick) {
    auto quick = jit::Jit(module, {.cache_dir = {}, .optimize = false, .sanitize = kSanitized});
    if (!quick) {
      return quick.error();
    }
    made->quick_ = std::move(*quick);
    made->kernels_.emplace_back("quick jit", made->quick_->kernel());
  }
  if (options.package) {
    std::string path = (std::filesystem::temp_directory_path() / ("engines-" + std::to_string(getpid()) + ".weirpkg")).string();
    if (auto written = jit::WritePackage(module, {}, path); !written) {
      return written.error();
    }
    auto opened = package::Package::Open(path, {.allow_unsigned = true});
    std::filesystem::remove(path);
    if (!opened) {
      return opened.error();
    }
    made->package_ = std::move(*opened);
    made->kernels_.emplace_back("package", made->package_->kernel());
  }
  return made;
}

weir_output Engines::Output() {
  weir_output out{};
  out.struct_size = sizeof(out);
  out.bytes = bytes_.get();
  out.capacity = kOutput;
  out.items = items_.data();
  out.item_capacity = kContributions;
  out.keys = keys_.data();
  out.key_capacity = kContributions;
  out.scratch = scratch_.get();
  out.scratch_capacity = kScratch;
  return out;
}

std::string Engines::At(uint32_t offset, uint32_t size) const { return {reinterpret_cast<const char*>(bytes_.get()) + offset, size}; }

template <typename Probe, typename Transform>
Outcome Engines::Run(Probe probe, Transform transform) {
  Outcome outcome;
  weir_probe p{};
  p.struct_size = sizeof(p);
  weir_output out = Output();
  weir_status status = probe(&out, &p);
  std::string& text = outcome.text;
  text = "probe " + std::to_string(status) + " feed " + std::to_string(static_cast<int32_t>(p.feed)) + " site " + std::to_string(out.site);
  if (status <= WEIR_UNROUTED) {
    text += " time " + std::to_string(p.event_time_us) + " key " + At(p.key_offset, p.key_size) + " order " + At(p.order_offset, p.order_size) +
            " event " + At(p.event_offset, p.event_size) + " digest " + std::string(reinterpret_cast<char*>(p.content_digest), 16);
  }
  // A record that no feed takes is transformed all the same: a kernel must bear it.
  out = Output();
  outcome.status = transform(status == WEIR_OK ? p.feed : 0, &out);
  text += "\ntransform " + std::to_string(outcome.status) + " site " + std::to_string(out.site);
  for (uint32_t counter : out.counters) {
    text += " " + std::to_string(counter);
  }
  for (uint32_t i = 0; i < out.item_count; ++i) {
    const weir_contribution& c = items_[i];
    text += "\n" + std::to_string(c.op) + " " + std::to_string(c.map) + " " + std::to_string(c.type) + " " + std::string(c.id, 32) + " " +
            (c.op == WEIR_OP_ALIAS ? std::string(c.other_id, 32) : "") + " " + At(c.tag_offset, c.tag_size) + " " + At(c.body_offset, c.body_size);
    outcome.resources += c.body_size != 0 ? 1 : 0;
  }
  std::set<std::string>
      keys;  // how often and in which order they are listed is an engine's own business
  for (uint32_t i = 0; i < out.key_count; ++i) {
    const weir_key& k = keys_[i];
    keys.insert("\nkey " + std::to_string(k.type) + " " + std::string(k.id, 32) + " " +
                std::to_string(k.parent_type) + " " + std::string(k.parent, 32) + " " +
                std::string(reinterpret_cast<const char*>(k.own), 16));
  }
  for (const std::string& key : keys) {
    text += key;
  }
  return outcome;
}

Comparison Engines::Compare(std::string_view message) {
  Comparison comparison;
  GuardedMessage guarded(message);
  v2::IndexBuffers buffers;
  weir_v2_index index{};
  if (v2::BuildIndex(guarded.bytes(), guarded.size(), {}, buffers, &index) != v2::IndexStatus::kOk) {
    return comparison;
  }
  comparison.read = true;
  weir_input input{sizeof(weir_input), 0, guarded.bytes(), guarded.size(), &index};
  comparison.oracle = Run([&](auto* o, auto* p) { return interp_.Probe(input, snapshot_, o, p); },
                          [&](uint32_t feed, auto* o) { return interp_.Transform(feed, input, snapshot_, o); });
  for (const auto& [name, kernel] : kernels_) {
    Outcome outcome = Run([&](auto* o, auto* p) { return kernel->probe(&input, &snapshot_, o, p); },
                          [&](uint32_t feed, auto* o) { return kernel->transform(feed, &input, &snapshot_, o); });
    if (outcome.text != comparison.oracle.text) {
      comparison.differs = name;
      comparison.other = std::move(outcome);
      break;
    }
  }
  return comparison;
}

std::string Damaged(std::string_view message, uint32_t seed) {
  constexpr size_t kHeader = 9;  // MSH|^~\&|
  constexpr std::string_view kBytes = "|^~\\&\r\n\"TX0129.+-AZ \tF\xC3";
  std::mt19937 random(seed);
  std::string damaged(message);
  for (unsigned k = 1 + random() % 5; k-- > 0 && damaged.size() > kHeader;) {
    size_t at = kHeader + random() % (damaged.size() - kHeader);
    char c = kBytes[random() % kBytes.size()];
    switch (random() % 3) {
      case 0: damaged[at] = c; break;
      case 1: damaged.insert(at, 1, c); break;
      default: damaged.erase(at, 1 + random() % 3); break;
    }
  }
  return damaged;
}

}  // namespace weir::engines
