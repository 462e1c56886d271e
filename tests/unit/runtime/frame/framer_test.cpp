#include "runtime/frame/framer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace weir::frame {
namespace {

using Seen = std::vector<std::pair<FrameKind, std::string>>;

Seen RunChunks(const std::string& text, size_t chunk) {
  Seen seen;
  Framer framer({}, [&](const Frame& frame) { seen.emplace_back(frame.kind, std::string(frame.bytes)); });
  for (size_t i = 0; i < text.size(); i += chunk) {
    framer.Push(std::string_view(text).substr(i, chunk));
  }
  framer.Finish();
  return seen;
}

// Whatever the chunking, the records are the same.
Seen Frames(const std::string& text) {
  Seen whole = RunChunks(text, text.size() + 1);
  for (size_t chunk : {1u, 2u, 3u, 7u}) {
    EXPECT_EQ(RunChunks(text, chunk), whole) << "chunks of " << chunk;
  }
  return whole;
}

constexpr auto kM = FrameKind::kMessage;
constexpr auto kE = FrameKind::kEnvelope;
constexpr auto kJ = FrameKind::kJunk;

TEST(Framer, SplitsMessagesWithoutAnyEnvelope) {
  EXPECT_EQ(Frames("MSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rPID|2\r"),
            (Seen{{kM, "MSH|^~\\&|1\rPID|1\r"}, {kM, "MSH|^~\\&|2\rPID|2\r"}}));
}

TEST(Framer, EnvelopesInAnyOrder) {
  EXPECT_EQ(Frames("FTS|9\nBHS|^~\\&\nMSH|^~\\&|1\nBTS|99\nBHS|^~\\&\n"),
            (Seen{{kE, "FTS|9\r"}, {kE, "BHS|^~\\&\r"}, {kM, "MSH|^~\\&|1\r"}, {kE, "BTS|99\r"}, {kE, "BHS|^~\\&\r"}}));
}

TEST(Framer, JunkAroundMessagesIsKeptApart) {
  EXPECT_EQ(Frames("/* licence\n * text */\n\nMSH|^~\\&|1\nPID|1\n"),
            (Seen{{kJ, "/* licence\r * text */\r"}, {kM, "MSH|^~\\&|1\rPID|1\r"}}));
}

TEST(Framer, BomAndMllpBytesBelongToNothing) {
  EXPECT_EQ(Frames("\xEF\xBB\xBFMSH|^~\\&|1\r"), (Seen{{kM, "MSH|^~\\&|1\r"}}));
  EXPECT_EQ(Frames("\x0BMSH|^~\\&|1\rPID|1\r\x1C\r\x0BMSH|^~\\&|2\r\x1C\r"),
            (Seen{{kM, "MSH|^~\\&|1\rPID|1\r"}, {kM, "MSH|^~\\&|2\r"}}));
}

TEST(Framer, TextAfterTheEndBlockIsJunk) {
  EXPECT_EQ(Frames("\x0BMSH|^~\\&|1\r\x1C\rhello\r"), (Seen{{kM, "MSH|^~\\&|1\r"}, {kJ, "hello\r"}}));
}

TEST(Framer, BlankLinesEndNothing) {
  EXPECT_EQ(Frames("MSH|^~\\&|1\r\n\r\n  \r\nPID|1\r\n"), (Seen{{kM, "MSH|^~\\&|1\rPID|1\r"}}));
}

TEST(Framer, ADoubledHeaderStaysInItsMessage) {
  std::string header = "MSH|^~\\&|A|B|C|D|20240101||ADT^A01|77|P|2.5\r";
  EXPECT_EQ(Frames(header + header + "PID|1\r"), (Seen{{kM, header + header + "PID|1\r"}}));
  std::string other = "MSH|^~\\&|A|B|C|D|20240101||ADT^A01|78|P|2.5\r";
  EXPECT_EQ(Frames(header + other), (Seen{{kM, header}, {kM, other}}));
}

TEST(Framer, NothingInNothingOut) {
  EXPECT_TRUE(Frames("").empty());
  EXPECT_TRUE(Frames("\r\n \t\r\n\x1C\r").empty());
}

// What belongs to no record: blanks, line ends, MLLP's bytes and BOMs.
std::string NonBlank(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "\xEF\xBB\xBF") == 0) {
      i += 2;
    } else if (std::string_view(" \t\r\n\x0B\x1C\x1A\0", 8).find(text[i]) == std::string_view::npos) {
      out.push_back(text[i]);
    }
  }
  return out;
}

TEST(Framer, EveryNonBlankByteOfRealFilesIsInOneRecord) {
  const char* shared = std::getenv("WEIR_SHARED");
  std::filesystem::path data = shared != nullptr ? std::filesystem::path(shared) : std::filesystem::path(WEIR_SOURCE_DIR) / ".." / "shared";
  data = data / "data" / "hl7v2";
  if (!std::filesystem::exists(data)) {
    GTEST_SKIP() << "no real messages: set WEIR_SHARED to the folder that holds data/hl7v2";
  }
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>{});
    std::string framed;
    Seen whole = RunChunks(text, text.size() + 1);
    for (const auto& [kind, bytes] : whole) {
      framed += bytes;
    }
    EXPECT_TRUE(NonBlank(framed) == NonBlank(text)) << entry.path().filename();
    EXPECT_TRUE(RunChunks(text, 61) == whole) << entry.path().filename();
    ++files;
  }
  EXPECT_GE(files, 760);
}

TEST(Framer, CutsARecordThatHasNoEnd) {
  Seen seen;
  Framer framer({.max_record_bytes = 100}, [&](const Frame& frame) { seen.emplace_back(frame.kind, std::string(frame.bytes)); });
  for (int i = 0; i < 50; ++i) {
    framer.Push("MSH|0123456789");
  }
  framer.Finish();
  ASSERT_FALSE(seen.empty());
  for (const auto& [kind, bytes] : seen) {
    EXPECT_LE(bytes.size(), 200u);
  }
}

}  // namespace
}  // namespace weir::frame
