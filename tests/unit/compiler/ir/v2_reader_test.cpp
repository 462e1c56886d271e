// The interpreter's own cutting of fields against the runtime's index, over every real message of
// the shared folder.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/ir/interp/v2.h"
#include "runtime/v2/reader.h"
#include "runtime/v2/view.h"

namespace weir::ir {
namespace {

namespace fs = std::filesystem;

TEST(V2ReaderAgreement, FieldsOfRealMessages) {
  const char* set = std::getenv("WEIR_SHARED");
  fs::path folder = (set != nullptr ? fs::path(set) : fs::path(WEIR_SOURCE_DIR) / ".." / "shared") /
                    "data" / "hl7v2";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "no real messages: set WEIR_SHARED";
  }
  int messages = 0;
  size_t fields = 0, scanned = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    std::string bytes = text.str();
    if (!bytes.starts_with("MSH")) {
      continue;  // envelopes and junk are the framer's
    }
    auto size = static_cast<uint32_t>(bytes.size());
    bytes.append(64, '\0');
    v2::IndexBuffers buffers;
    weir_v2_index index{};
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    if (v2::BuildIndex(data, size, {}, buffers, &index) != v2::IndexStatus::kOk) {
      continue;
    }
    std::string_view view(bytes.data(), size);
    V2Message message(view, &index);
    ASSERT_TRUE(message.valid()) << entry.path();
    ++messages;
    uint32_t ordinal = 0;
    for (uint32_t i = 0; i < index.segment_count; ++i) {
      if (index.segments[i].id == 0) {
        continue;
      }
      v2::SegmentView segment(index, i);
      std::vector<V2Item> own = message.Fields(ordinal++);
      if (segment.is_header() && segment.name() != "MSH") {
        continue;
      }
      ASSERT_EQ(own.size(), segment.field_count()) << entry.path() << " segment " << i;
      for (uint32_t n = 1; n <= own.size(); ++n, ++fields) {
        ASSERT_EQ(message.Slice(own[n - 1]), segment.Field(n))
            << entry.path() << " segment " << i << " field " << n;
      }
    }
    // The plain scan, without an index, cuts the same segments where no line was odd.
    if ((index.flags & (WEIR_V2_CONTINUED_LINE | WEIR_V2_BAD_SEGMENT_ID)) == 0) {
      V2Message plain(view, nullptr);
      ASSERT_EQ(plain.segments().size(), message.segments().size()) << entry.path();
      for (size_t i = 0; i < plain.segments().size(); ++i, ++scanned) {
        ASSERT_EQ(plain.segments()[i].begin, message.segments()[i].begin) << entry.path();
        ASSERT_EQ(plain.segments()[i].end, message.segments()[i].end) << entry.path();
      }
    }
  }
  EXPECT_GT(messages, 300);
  std::printf("%d messages, %zu fields, %zu segments scanned plainly\n", messages, fields, scanned);
}

}  // namespace
}  // namespace weir::ir
