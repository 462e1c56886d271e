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
      at += (m.index.marks[kind][i / 64] >> (i % 64) & 1) != 0 ? m.bytes[i] : '.';
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

TEST(Reader, MarksBlanksAtEdges) {
  auto marked = [](const std::string& rest) {
    Indexed m("MSH|^~\\&|" + rest);
    std::string at;
    for (uint32_t i = 9; i < m.size; ++i) {
      at += (m.index.marks[WEIR_V2_MARK_SPECIAL][i / 64] >> (i % 64) & 1) != 0 ? '+' : '.';
    }
    return at;
  };
  EXPECT_EQ(marked("a b| c|d ^e~ f & g"), "....+...+...+.+.+.");
  EXPECT_EQ(marked("a  b|   "), ".++..+++");
  EXPECT_EQ(marked("a \rPID|x "), ".++.....+");
  // The same across blocks of 64 bytes, whose edges the scan meets one after the other.
  for (size_t pad = 40; pad < 70; ++pad) {
    std::string x(pad, 'x'), dots(pad, '.');
    EXPECT_EQ(marked(x + "a b |c"), dots + "...+..") << pad;
    EXPECT_EQ(marked(x + "| b c"), dots + ".+...") << pad;
    EXPECT_EQ(marked(x + "a  b"), dots + ".++.") << pad;
    EXPECT_EQ(marked(x + "b "), dots + ".+") << pad;
  }
}

TEST(Reader, SaysWhetherBytesAreUtf8) {
  auto utf8 = [](const std::string& rest) {
    return (Indexed("MSH|^~\\&|" + rest).index.flags & WEIR_V2_UTF8) != 0;
  };
  for (size_t pad = 0; pad < 130; ++pad) {
    std::string x(pad, 'x');
    for (const char* good :
         {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xC3\xA9\xC3\xA9"}) {
      EXPECT_TRUE(utf8(x + good));
      EXPECT_TRUE(utf8(x + good + "|y"));
    }
    for (const char* bad : {"\xC3", "\xA9", "\xE2\x82", "\xF0\x9F\x98", "\xC3\xC3\xA9",
                            "\xED\xA0\x80", "\xC0\x80", "\xF5\x80\x80\x80", "\xC3\xA9\xA9"}) {
      EXPECT_FALSE(utf8(x + bad));
      EXPECT_FALSE(utf8(x + bad + "|y"));
    }
  }
}

void ExpectSame(const std::string& text) {
  Indexed meaning(text, Scanner::kBytewise);
  for (Scanner scanner : {Scanner::kBaseline, Scanner::kAvx2, Scanner::kAvx512}) {
    if (!Supports(scanner)) {
      continue;
    }
    Indexed other(text, scanner);
    ASSERT_EQ(meaning.status, other.status);
    if (meaning.status != IndexStatus::kOk) {
      continue;
    }
    EXPECT_EQ(meaning.index.flags, other.index.flags);
    ASSERT_EQ(meaning.index.sep_count, other.index.sep_count);
    EXPECT_TRUE(std::equal(meaning.index.seps, meaning.index.seps + meaning.index.sep_count, other.index.seps));
    for (int kind = 0; kind < WEIR_V2_MARKS; ++kind) {
      size_t words = (text.size() + 63) / 64 + 1;
      EXPECT_TRUE(std::equal(meaning.index.marks[kind], meaning.index.marks[kind] + words, other.index.marks[kind])) << "kind " << kind;
    }
    ASSERT_EQ(meaning.index.segment_count, other.index.segment_count);
    for (uint32_t i = 0; i < meaning.index.segment_count; ++i) {
      EXPECT_EQ(meaning.index.segments[i].id, other.index.segments[i].id);
      EXPECT_EQ(meaning.index.segments[i].fields, other.index.segments[i].fields);
      EXPECT_EQ(meaning.index.segments[i].end, other.index.segments[i].end);
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
