#include "runtime/v2/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "runtime/v2/view.h"

namespace weir::v2 {
namespace {

struct Indexed {
  explicit Indexed(std::string text, Scanner scanner = Scanner::kBest) : bytes(std::move(text)) {
    size = static_cast<uint32_t>(bytes.size());
    bytes.append(64, '\xFF');
    status = BuildIndex(reinterpret_cast<const uint8_t*>(bytes.data()), size, {}, buffers, &index, scanner);
  }
  std::string bytes;
  uint32_t size;
  IndexBuffers buffers;
  weir_v2_index index;
  IndexStatus status;

  SegmentView At(uint32_t i) const { return {index, i}; }
};

TEST(Reader, FieldsFollowTheStandardsCount) {
  Indexed m("MSH|^~\\&|APP|FAC||HUB|20240101||ADT^A01|1|P|2.5.1\rPID|1||A~B||DOE^JANE\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  ASSERT_EQ(m.index.segment_count, 2u);
  EXPECT_EQ(m.At(0).Field(1), "|");
  EXPECT_EQ(m.At(0).Field(2), "^~\\&");
  EXPECT_EQ(m.At(0).Field(3), "APP");
  EXPECT_EQ(m.At(0).Field(12), "2.5.1");
  EXPECT_EQ(m.At(0).Field(13), "");
  EXPECT_EQ(m.At(1).Field(3), "A~B");
  EXPECT_EQ(m.At(1).Field(5), "DOE^JANE");
  EXPECT_EQ(m.At(1).Field(6), "");
  EXPECT_EQ(m.At(1).Field(0), "");
}

TEST(Reader, AHeaderOfItsNameAloneHasNoFields) {
  Indexed m("MSH|^~\\&|APP\rMSH\rPID|1\r");
  ASSERT_EQ(m.index.segment_count, 3u);
  EXPECT_EQ(m.At(1).Field(1), "");
  EXPECT_EQ(m.At(1).Field(2), "");
  EXPECT_EQ(m.At(2).Field(1), "1");
}

TEST(Reader, TakesEveryLineEndAndBlankLines) {
  for (const char* end : {"\r", "\n", "\r\n"}) {
    std::string e = end;
    Indexed m("MSH|^~\\&|A" + e + e + "PID|1  " + e + "   " + e + "PV1|2");
    ASSERT_EQ(m.status, IndexStatus::kOk);
    ASSERT_EQ(m.index.segment_count, 3u) << "line end " << testing::PrintToString(e);
    EXPECT_EQ(m.At(1).Field(1), "1");
    EXPECT_EQ(m.At(2).Field(1), "2");
    EXPECT_EQ((m.index.flags & WEIR_V2_MIXED_ENDS) != 0, e != "\r");
  }
}

TEST(Reader, ReadsTheMessagesOwnDelimiters) {
  Indexed m("MSH#*=!$#A*B\rPID#1#x=y$z*w\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  EXPECT_EQ(m.index.delims.component, '*');
  EXPECT_EQ(m.index.delims.repetition, '=');
  EXPECT_EQ(m.index.delims.escape, '!');
  EXPECT_EQ(m.index.delims.subcomponent, '$');
  EXPECT_EQ(Part(m.At(1).Field(2), 2, '=', m.index.delims), "y$z*w");
}

TEST(Reader, AMissingDelimiterSplitsNothing) {
  Indexed m("MSH|^~|A\rPID|a&b\\c\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  EXPECT_EQ(m.index.delims.subcomponent, '|');
  EXPECT_EQ(Part(m.At(1).Field(1), 1, m.index.delims.subcomponent, m.index.delims), "a&b\\c");
}

TEST(Reader, ARepeatedDelimiterCountsOnce) {
  Indexed m("MSH|&&&&|A\rPID|a&b\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  EXPECT_EQ(m.index.delims.component, '&');
  EXPECT_EQ(m.index.delims.subcomponent, '|');
}

TEST(Reader, TheTruncationCharacterIsNoDelimiter) {
  Indexed m("MSH|^~\\&#|A\rPID|a#b\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  EXPECT_EQ(m.At(1).Field(1), "a#b");
}

TEST(Reader, JoinsALineThatIsNoSegment) {
  Indexed m("MSH|^~\\&|A\rNTE|1||first half\nsecond half|x\rPID|9\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  ASSERT_EQ(m.index.segment_count, 3u);
  EXPECT_EQ(m.At(1).Field(3), "first half\nsecond half");
  EXPECT_EQ(m.At(1).Field(4), "x");
  EXPECT_EQ(m.At(2).Field(1), "9");
  EXPECT_NE(m.index.flags & WEIR_V2_CONTINUED_LINE, 0);
}

TEST(Reader, KeepsSegmentsWithIdsOfOtherLengths) {
  Indexed m("MSH|^~\\&|A\rPIDX|1\rPV|2\rpid|3\r");
  ASSERT_EQ(m.status, IndexStatus::kOk);
  ASSERT_EQ(m.index.segment_count, 4u);
  EXPECT_EQ(m.index.segments[1].id, 0u);
  EXPECT_EQ(m.index.segments[2].id, 0u);
  EXPECT_EQ(m.index.segments[3].id, SegmentId("PID"));
  EXPECT_NE(m.index.flags & WEIR_V2_BAD_SEGMENT_ID, 0);
  EXPECT_NE(m.index.flags & WEIR_V2_LOWER_CASE_ID, 0);
}

TEST(Reader, RefusesHeadersThatTellNothing) {
  for (const char* text : {"", "M", "MSH", "MSH|", "MSHA^~\\&|", "PID|1", "MSH |^~", "MSH|A"}) {
    EXPECT_EQ(Indexed(text).status, IndexStatus::kHeader) << text;
  }
}

TEST(Reader, BoundsAreBounds) {
  IndexLimits limits;
  limits.max_segments = 2;
  limits.max_separators = 8;
  IndexBuffers buffers;
  weir_v2_index index;
  auto build = [&](std::string text) {
    auto size = static_cast<uint32_t>(text.size());
    text.append(64, '\0');
    return BuildIndex(reinterpret_cast<const uint8_t*>(text.data()), size, limits, buffers, &index);
  };
  EXPECT_EQ(build("MSH|^~\\&|A\rPID|1\r"), IndexStatus::kOk);
  EXPECT_EQ(build("MSH|^~\\&|A\rPID|1\rPV1|\r"), IndexStatus::kTooManySegments);
  EXPECT_EQ(build("MSH|^~\\&|A\rPID|||||||||||\r"), IndexStatus::kTooManyFields);
  limits.max_bytes = 10;
  EXPECT_EQ(build("MSH|^~\\&|A\rPID|1\r"), IndexStatus::kTooLarge);
}

TEST(Reader, EscapeInTheHeaderAloneIsNoEscape) {
  EXPECT_EQ(Indexed("MSH|^~\\&|A\rPID|1\r").index.flags & WEIR_V2_HAS_ESCAPE, 0);
  EXPECT_NE(Indexed("MSH|^~\\&|A\rPID|\\T\\\r").index.flags & WEIR_V2_HAS_ESCAPE, 0);
}

TEST(Reader, MarksDelimitersAndWhatJsonEscapes) {
  auto marked = [](const Indexed& m, uint32_t kind) {
    std::string at;
    for (uint32_t i = 0; i < m.size; ++i) {
      at += (m.index.marks[i / 64 * WEIR_V2_MARKS + kind] >> (i % 64) & 1) != 0 ? m.bytes[i] : '.';
    }
    return at;
  };
  Indexed m("MSH|^~\\&|A\rPID|a^b~c&d|\"\\F\\\r");
  EXPECT_EQ(marked(m, WEIR_V2_MARK_COMPONENT), "....^...........^...........");
  EXPECT_EQ(marked(m, WEIR_V2_MARK_REPETITION), ".....~............~.........");
  EXPECT_EQ(marked(m, WEIR_V2_MARK_SUBCOMPONENT), ".......&............&.......");
  EXPECT_EQ(marked(m, WEIR_V2_MARK_SPECIAL), "......\\...\r............\"\\.\\\r");
  // A delimiter that MSH-2 leaves out marks nothing, not even field separators.
  Indexed bare("MSH|^|A\rPID|a~b&c\r");
  EXPECT_EQ(marked(bare, WEIR_V2_MARK_REPETITION), std::string(bare.size, '.'));
  EXPECT_EQ(marked(bare, WEIR_V2_MARK_SUBCOMPONENT), std::string(bare.size, '.'));
}

void ExpectSame(const std::string& text) {
  Indexed scalar(text, Scanner::kScalar);
  for (Scanner scanner : {Scanner::kAvx2, Scanner::kAvx512}) {
    if (!Supports(scanner)) {
      continue;
    }
    Indexed other(text, scanner);
    ASSERT_EQ(scalar.status, other.status);
    if (scalar.status != IndexStatus::kOk) {
      continue;
    }
    EXPECT_EQ(scalar.index.flags, other.index.flags);
    ASSERT_EQ(scalar.index.sep_count, other.index.sep_count);
    EXPECT_TRUE(std::equal(scalar.index.seps, scalar.index.seps + scalar.index.sep_count, other.index.seps));
    size_t marks = (text.size() + 63) / 64 * WEIR_V2_MARKS;
    EXPECT_TRUE(std::equal(scalar.index.marks, scalar.index.marks + marks, other.index.marks));
    ASSERT_EQ(scalar.index.segment_count, other.index.segment_count);
    for (uint32_t i = 0; i < scalar.index.segment_count; ++i) {
      EXPECT_EQ(scalar.index.segments[i].id, other.index.segments[i].id);
      EXPECT_EQ(scalar.index.segments[i].fields, other.index.segments[i].fields);
      EXPECT_EQ(scalar.index.segments[i].end, other.index.segments[i].end);
    }
  }
}

TEST(Reader, ScannersAgreeOnRandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text = "MSH|^~\\&|";
    size_t length = random() % 400;
    for (size_t i = 0; i < length; ++i) {
      text.push_back("|^~\\&\r\n AZ09\"\xC3\xA9PID"[random() % 19]);
    }
    ExpectSame(text);
  }
}

TEST(Reader, ScannersAgreeOnRealFiles) {
  const char* shared = std::getenv("WEIR_SHARED");
  std::filesystem::path root = WEIR_SOURCE_DIR;
  std::filesystem::path data = (shared != nullptr ? std::filesystem::path(shared) : root / ".." / "shared") / "data" / "hl7v2";
  std::vector<std::filesystem::path> roots = {root / "examples" / "adt" / "messages"};
  if (std::filesystem::exists(data)) {
    roots.push_back(data);
  }
  int files = 0;
  for (const auto& top : roots) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
      if (!entry.is_regular_file()) {
        continue;
      }
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      std::string bytes = text.str();
      size_t at = bytes.find("MSH");
      if (at != std::string::npos) {
        ExpectSame(bytes.substr(at));
        ++files;
      }
    }
  }
  EXPECT_GT(files, 90);
}

TEST(View, PresenceKnowsAbsentNullAndValue) {
  weir_v2_delims d{'|', '^', '~', '\\', '&'};
  EXPECT_EQ(PresenceOf("", d), Presence::kAbsent);
  EXPECT_EQ(PresenceOf("  \t", d), Presence::kAbsent);
  EXPECT_EQ(PresenceOf("^^&~", d), Presence::kAbsent);
  EXPECT_EQ(PresenceOf("\"\"", d), Presence::kNull);
  EXPECT_EQ(PresenceOf("\"\"^x", d), Presence::kValue);
  EXPECT_EQ(PresenceOf("^x", d), Presence::kValue);
}

}  // namespace
}  // namespace weir::v2
