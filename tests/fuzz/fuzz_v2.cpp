// Any bytes: framed alike whole and in chunks, and each record indexed alike by all scanners, in bounds, with its text
// either refused or valid UTF-8. Built with WEIR_FUZZ; run `fuzz_v2 CORPUS`.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/frame/framer.h"
#include "runtime/v2/charset.h"
#include "runtime/v2/reader.h"
#include "runtime/v2/view.h"

namespace weir {
namespace {

std::vector<std::string> Records(std::string_view input, size_t chunk) {
  std::vector<std::string> records;
  frame::Framer framer({}, [&](const frame::Frame& frame) { records.emplace_back(frame.bytes); });
  for (size_t at = 0; at < input.size(); at += chunk) {
    framer.Push(input.substr(at, chunk));
  }
  framer.Finish();
  return records;
}

void IndexIsSound(const weir_v2_index& index) {
  v2::MessageView message(index);
  for (uint32_t i = 0; i < index.segment_count; ++i) {
    const weir_v2_segment& segment = index.segments[i];
    WEIR_CHECK(segment.begin <= segment.end && segment.end <= index.size);
    WEIR_CHECK(uint64_t{segment.first} + segment.fields < index.sep_count);
    for (uint32_t k = 1; k <= message.segment(i).field_count(); ++k) {
      std::string_view field = message.segment(i).Field(k);
      WEIR_CHECK(field.empty() || field.data() + field.size() <= reinterpret_cast<const char*>(index.bytes) + segment.end);
    }
  }
}

void CheckRecord(std::string record) {
  const auto size = static_cast<uint32_t>(record.size());
  record.append(64, '\xFF');
  const auto* bytes = reinterpret_cast<const uint8_t*>(record.data());
  v2::IndexBuffers expected;
  weir_v2_index index;
  const v2::IndexStatus status = v2::BuildIndex(bytes, size, {}, expected, &index, v2::Scanner::kBytewise);
  for (v2::Scanner scanner : {v2::Scanner::kBaseline, v2::Scanner::kAvx2, v2::Scanner::kAvx512}) {
    if (!v2::Supports(scanner)) {
      continue;
    }
    v2::IndexBuffers buffers;
    weir_v2_index other;
    WEIR_CHECK(v2::BuildIndex(bytes, size, {}, buffers, &other, scanner) == status);
    if (status == v2::IndexStatus::kOk) {
      WEIR_CHECK(other.flags == index.flags && other.sep_count == index.sep_count);
      WEIR_CHECK(std::memcmp(other.seps, index.seps, index.sep_count * sizeof(uint32_t)) == 0);
      for (int kind = 0; kind < WEIR_V2_MARKS; ++kind) {
        WEIR_CHECK(std::memcmp(other.marks[kind], index.marks[kind], ((size_t{size} + 63) / 64 + 1) * sizeof(uint64_t)) == 0);
      }
      WEIR_CHECK(other.segment_count == index.segment_count);
      WEIR_CHECK(std::memcmp(other.segments, index.segments, index.segment_count * sizeof(weir_v2_segment)) == 0);
    }
  }
  if (status == v2::IndexStatus::kOk) {
    IndexIsSound(index);
  }
  for (v2::Charset charset : {v2::Charset::kUtf8, v2::Charset::kLatin1, v2::Charset::kLatin9, v2::Charset::kWindows1252}) {
    std::string out;
    std::string_view text(record.data(), size);
    switch (v2::DecodeRecord(text, charset, &out)) {
      case v2::DecodeStatus::kAsIs:
        WEIR_CHECK(v2::IsUtf8(text));
        break;
      case v2::DecodeStatus::kRecoded:
        WEIR_CHECK(v2::IsUtf8(out));
        break;
      case v2::DecodeStatus::kRefused:
        break;
    }
  }
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> whole = weir::Records(input, size + 1);
  WEIR_CHECK(weir::Records(input, 1) == whole);
  WEIR_CHECK(weir::Records(input, 5) == whole);
  for (const std::string& record : whole) {
    weir::CheckRecord(record);
  }
  return 0;
}
