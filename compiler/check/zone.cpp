// IANA zone data, read from the system's compiled files (TZif, version 2 and later) at compile time.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/check/generator.h"

namespace weir::check {
namespace {

int64_t BigEndian(std::string_view bytes, size_t at, size_t size) {
  uint64_t value = (static_cast<unsigned char>(bytes[at]) & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < size; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return static_cast<int64_t>(value);
}

// Nothing when damaged. The first block (32 bit) is skipped: the second says the same with 64.
bool ReadTzif(std::string_view bytes, ir::Zone* zone) {
  constexpr size_t kHeader = 44;
  auto count = [&](size_t base, size_t n) { return static_cast<size_t>(BigEndian(bytes, base + 20 + 4 * n, 4)); };
  auto block = [&](size_t base, size_t time_size) {
    return kHeader + count(base, 3) * (time_size + 1) + count(base, 4) * 6 + count(base, 5) + count(base, 2) * (time_size + 4) +
           count(base, 1) + count(base, 0);
  };
  if (bytes.size() < kHeader || !bytes.starts_with("TZif") || bytes[4] < '2') {
    return false;
  }
  size_t base = block(0, 4);
  if (bytes.size() < base + kHeader || bytes.size() < base + block(base, 8)) {
    return false;
  }
  size_t times = count(base, 3), types = count(base, 4), at = base + kHeader;
  auto offset = [&](size_t type) { return static_cast<int32_t>(BigEndian(bytes, at + times * 9 + type * 6, 4)); };
  if (types == 0) {
    return false;
  }
  zone->transitions.emplace_back(INT64_MIN, offset(0));
  for (size_t i = 0; i < times; ++i) {
    auto type = static_cast<size_t>(static_cast<unsigned char>(bytes[at + times * 8 + i]));
    int64_t from = BigEndian(bytes, at + i * 8, 8);
    if (type < types && from > zone->transitions.back().first) {
      zone->transitions.emplace_back(from, offset(type));
    }
  }
  return true;
}

}  // namespace

int32_t Generator::Zone(const std::string& name, Span span) {
  for (size_t i = 0; i < c_.module.zones.size(); ++i) {
    if (c_.module.zones[i].name == name) {
      return static_cast<int32_t>(i);
    }
  }
  ir::Zone zone{.name = name, .transitions = {}};
  std::ifstream in(options_.zoneinfo_dir + "/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  bool named = !name.empty() && name[0] != '/' && name.find("..") == std::string::npos;
  if (!named || !in || !ReadTzif(bytes.str(), &zone)) {
    Error(DiagnosticKind::kUnknownTimezone, span, fmt::format("no time zone `{}` is known", name),
          "zones are named as in \"America/New_York\"");
    return -1;
  }
  c_.module.zones.push_back(std::move(zone));
  return static_cast<int32_t>(c_.module.zones.size() - 1);
}

}  // namespace weir::check
