// Sound sources, damaged in a fixed pseudo-random way: whatever comes out, the parser's properties
// hold. The fuzz target goes further with the same properties.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "tests/fuzz/parser_properties.h"
#include "tests/unit/compiler/syntax/test_util.h"

namespace weir::syntax {
namespace {

class Random {
 public:
  uint32_t Below(size_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>((state_ >> 33) % bound);
  }

 private:
  uint64_t state_ = 20240229;
};

std::string Damaged(std::string text, Random& random) {
  static const char* const kPieces[] = {
      "(", ")",    "{", "}",  "[",  "]",      "'",      "\"",    "`",       ":",     "->", "\n",
      ";", ",",    ".", ".1", "#2", " else ", " when ", " via ", " each ",  "/*",    "//", "///",
      "é", "\xFF", "=", "-",  "%",  "@2015",  "\\",     "map ",  "\nfeed ", "$this", "{}", " key "};
  for (uint32_t i = 0, count = 1 + random.Below(4); i < count && !text.empty(); ++i) {
    size_t at = random.Below(text.size());
    switch (random.Below(4)) {
      case 0:
        text.erase(at, 1 + random.Below(8));
        break;
      case 1:
        text.insert(at, kPieces[random.Below(std::size(kPieces))]);
        break;
      case 2:
        text.replace(at, 1, kPieces[random.Below(std::size(kPieces))]);
        break;
      default:
        text.insert(at, text.substr(random.Below(text.size()), random.Below(40)));
        break;
    }
  }
  return text;
}

TEST(Mutation, ParserPropertiesHoldOnDamagedSources) {
  namespace fs = std::filesystem;
  std::vector<std::string> sources;
  for (const char* folder : {"tests/golden/syntax", "examples"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(std::string(WEIR_SOURCE_DIR) + "/" + folder)) {
      if (entry.path().extension() == ".weir") {
        sources.push_back(ReadAll(entry.path().string()));
      }
    }
  }
  ASSERT_GE(sources.size(), 20u);
  Random random;
  for (const std::string& source : sources) {
    ASSERT_EQ(CheckParserProperties(source), "") << source;
    for (int i = 0; i < 60; ++i) {
      // A window of the source, so that many small files are tried rather than few large ones.
      size_t start = random.Below(source.size());
      std::string text = Damaged(source.substr(start, 100 + random.Below(900)), random);
      ASSERT_EQ(CheckParserProperties(text), "") << text;
    }
  }
}

}  // namespace
}  // namespace weir::syntax
