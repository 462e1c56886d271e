#include "runtime/package/format.h"

#include <sodium.h>

#include "runtime/package/refusal.h"

namespace weir::package {
namespace {

constexpr std::string_view kMagic = "WEIRPKG1";
constexpr uint64_t kMaxEntries = 64;  // a manifest and a few targets; bounds a damaged header

void PutNumber(uint64_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>((value >> (8 * i)) & 255));
  }
}

std::string Sha256(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return out;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool Number(int bytes, uint64_t* value) {
    std::string_view text;
    if (!Take(static_cast<uint64_t>(bytes), &text)) {
      return false;
    }
    *value = 0;
    for (int i = 0; i < bytes; ++i) {
      *value |= static_cast<uint64_t>(static_cast<unsigned char>(text[static_cast<size_t>(i)])) << (8 * i);
    }
    return true;
  }
  bool Take(uint64_t size, std::string_view* out) {
    if (size > rest_.size()) {
      return false;
    }
    *out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::string Encode(const std::vector<Entry>& entries) {
  std::string out(kMagic);
  PutNumber(entries.size(), 4, &out);
  for (const Entry& entry : entries) {
    PutNumber(entry.name.size(), 4, &out);
    PutNumber(entry.content.size(), 8, &out);
    out += entry.name + entry.content;
  }
  return out + Sha256(out);
}

Result<std::vector<Entry>> Decode(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return Refuse(Refusal::kForeign);
  }
  if (bytes.size() < kMagic.size() + 4 + crypto_hash_sha256_BYTES) {
    return Refuse(Refusal::kDamaged);
  }
  std::string_view body = bytes.substr(0, bytes.size() - crypto_hash_sha256_BYTES);
  if (Sha256(body) != bytes.substr(body.size())) {
    return Refuse(Refusal::kDamaged);
  }
  Reader in(body.substr(kMagic.size()));
  uint64_t count = 0;
  if (!in.Number(4, &count) || count > kMaxEntries) {
    return Refuse(Refusal::kMalformed);
  }
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t name_size = 0, size = 0;
    std::string_view name, content;
    if (!in.Number(4, &name_size) || !in.Number(8, &size) || !in.Take(name_size, &name) || !in.Take(size, &content)) {
      return Refuse(Refusal::kMalformed);
    }
    entries.push_back({std::string(name), std::string(content)});
  }
  return in.done() ? Result<std::vector<Entry>>(std::move(entries)) : Refuse(Refusal::kMalformed);
}

std::string Sha256Hex(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (char c : Sha256(bytes)) {
    out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::string HostTriple() {
#if defined(__aarch64__)
  return "aarch64-unknown-linux-gnu";
#else
  return "x86_64-unknown-linux-gnu";
#endif
}

std::vector<Variant> Variants(std::string_view triple) {
  std::string name(triple);
  if (!triple.starts_with("x86_64")) {
    return {{name + ".so", "generic", true}};
  }
  bool v3 = false;
#if defined(__x86_64__)
  v3 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0 &&
       __builtin_cpu_supports("fma") != 0 && __builtin_cpu_supports("f16c") != 0 && __builtin_cpu_supports("lzcnt") != 0 &&
       __builtin_cpu_supports("movbe") != 0;
#endif
  return {{name + ".v3.so", "x86-64-v3", v3}, {name + ".so", "x86-64-v2", true}};
}

}  // namespace weir::package
