#include "runtime/serve/mllp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::serve {
namespace {

using Kind = MllpReader::Kind;
using Got = std::vector<std::pair<Kind, std::string>>;

// The whole input in pieces of `step` bytes.
Got Read(std::string_view input, size_t step, MllpLimits limits = {}, bool* good = nullptr) {
  Got got;
  MllpReader reader(limits);
  const auto sink = [&](Kind kind, std::string_view bytes) { got.emplace_back(kind, bytes); };
  bool fine = true;
  for (size_t at = 0; at < input.size() && fine; at += step) {
    fine = reader.Push(input.substr(at, step), sink);
  }
  if (fine) {
    reader.Finish(sink);
  }
  if (good != nullptr) {
    *good = fine;
  }
  return got;
}

TEST(MllpTest, AnyChunkingGivesTheSame) {
  const std::string input = "\x0B" "one\x1C\r\x0B" "two\rlines\r\x1C\r\n noise \x0B" "cut\x0B\x1C\x0B" "three\x1C\x0B" "open";
  const Got expected = {{Kind::kFrame, "one"}, {Kind::kFrame, "two\rlines\r"}, {Kind::kJunk, "\r\n noise "},
                        {Kind::kInterrupted, "cut"}, {Kind::kFrame, ""}, {Kind::kFrame, "three"}};
  for (size_t step = 1; step <= input.size(); ++step) {
    Got got = Read(input, step);
    // Where blanks before junk are cut from it depends on nothing that counts.
    for (auto& [kind, bytes] : got) {
      if (kind == Kind::kJunk) {
        bytes.erase(0, bytes.find_first_not_of("\r\n "));
      }
    }
    Got wanted = expected;
    wanted[2].second = "noise ";
    EXPECT_EQ(got, wanted) << step;
  }
}

TEST(MllpTest, AFrameOfTheLimitPassesAndOneByteMoreDoesNot) {
  for (const size_t step : {1, 3, 100}) {
    bool good = false;
    EXPECT_EQ(Read("\x0B" "12345678\x1C\r", step, {.frame_bytes_max = 8}, &good).size(), 1u);
    EXPECT_TRUE(good);
    EXPECT_TRUE(Read("\x0B" "123456789\x1C\r", step, {.frame_bytes_max = 8}, &good).empty());
    EXPECT_FALSE(good);
  }
}

TEST(MllpTest, APeerThatSpeaksSomethingElseIsFoundOut) {
  bool good = true;
  Read(std::string(9, 'x'), 1, {.junk_bytes_max = 8}, &good);
  EXPECT_FALSE(good);
  Read(std::string(100, '\n'), 7, {.junk_bytes_max = 8}, &good);
  EXPECT_TRUE(good);  // blanks are nothing
}

}  // namespace
}  // namespace weir::serve
