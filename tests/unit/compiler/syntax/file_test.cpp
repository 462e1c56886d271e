// Files: where statements end, that no word is reserved, that a broken file still gives its sound
// parts, and bounds.
#include <gtest/gtest.h>

#include <chrono>
#include <regex>
#include <set>

#include "tests/unit/compiler/syntax/test_util.h"

namespace weir::syntax {
namespace {

const ast::MapDecl& MapAt(const Parsed& parsed, size_t index) {
  return *ast::As<ast::MapDecl>(*parsed.file->declarations.at(index));
}

// The language's words, from the grammar itself.
std::vector<std::string> Words() {
  std::string grammar = ReadAll(std::string(WEIR_SOURCE_DIR) + "/dsl/Weir.g4");
  std::vector<std::string> words;
  static const std::regex kWord(R"([A-Z_]+ : '([a-z_]+)' ;)");
  for (std::sregex_iterator it(grammar.begin(), grammar.end(), kWord), end; it != end; ++it) {
    words.push_back((*it)[1]);
  }
  return words;
}

void ExpectUsable(const std::string& name, bool as_operand) {
  std::string text = "map m from f to T {\n  " + name + ": x." + name + "\n  a." + name +
                     ": 1\n  " + name + ".b: 1\n  " + name + "(s): 1\n  " + name + " -> m\n";
  text += as_operand ? "  c: " + name + " = " + name + ".d when " + name + "\n" : "";
  Parsed parsed = ParseSource(text + "}\n");
  EXPECT_FALSE(parsed.sink.has_errors()) << parsed.Errors();
  EXPECT_EQ(MapAt(parsed, 0).lines.size(), as_operand ? 6u : 5u) << text;
  for (const ast::Line& line : MapAt(parsed, 0).lines) {
    EXPECT_FALSE(line.target.steps.empty()) << text;
  }
}

TEST(File, NoWordIsReserved) {
  std::vector<std::string> words = Words();
  ASSERT_GT(words.size(), 90u);
  // These begin a value, so that as an operand they need backticks; `true` and `false` are values.
  const std::set<std::string> kNotFirst = {"each", "absent"};
  for (const std::string& word : words) {
    if (word == "true" || word == "false" || word == "else") {
      continue;
    }
    ExpectUsable(word, !kNotFirst.contains(word));
  }
}

TEST(File, EveryElementNameIsUsable) {
  std::set<std::string> names;
  static const std::regex kPath("\"p\":\"[A-Za-z0-9.\\-\\[\\]]*\\.([A-Za-z0-9]+)(\\[x\\])?\"");
  for (const std::string& line : RegistryLines("StructureDefinition")) {
    for (std::sregex_iterator it(line.begin(), line.end(), kPath), end; it != end; ++it) {
      names.insert((*it)[1]);
    }
  }
  if (names.empty()) {
    GTEST_SKIP() << "contracts/registry holds no definitions yet";
  }
  ASSERT_GE(names.size(), 1390u);  // R4 alone, counted in its StructureDefinitions
  for (const std::string& name : names) {
    ExpectUsable(name, true);
  }
}

TEST(File, NewlinesEndStatementsUnlessTheyGoOn) {
  Parsed parsed = ParseSource(R"(
map m from f to Patient {
  key mrn
  name: each PID-5
    , each PID-9
  gender: PID-8 via sex
    else 'unknown'
  a: iif(x,
      y,
      z) when p
       or q
  b: x
    .first()
  c: 1; d: 2
  when: x
  e: { f: 1; g: 2 } when h
}
)");
  ASSERT_FALSE(parsed.sink.has_errors()) << parsed.Errors();
  const auto& lines = MapAt(parsed, 0).lines;
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines[1].items.size(), 2u);
  EXPECT_EQ(lines[2].items[0].alternatives.size(), 2u);
  EXPECT_EQ(lines[2].items[0].alternatives[0].via_table.text, "sex");
  EXPECT_EQ(ast::Print(*lines[3].condition), "(Binary or (Name p) (Name q))");
  EXPECT_EQ(ast::Print(*lines[4].items[0].alternatives[0].expr), "(Call . first (Name x))");
  EXPECT_EQ(lines[7].target.steps[0].name.text, "when");
  EXPECT_EQ(lines[8].kind, ast::LineKind::kObject);
  EXPECT_EQ(lines[8].lines.size(), 2u);
  EXPECT_NE(lines[8].condition, nullptr);
}

TEST(File, KeepsDocComments) {
  Parsed parsed =
      ParseSource("/// First line.\n///   second\nevents e = A01 /// not this\n\nfn f(x) = x\n");
  ASSERT_FALSE(parsed.sink.has_errors()) << parsed.Errors();
  EXPECT_EQ(parsed.file->declarations[0]->doc, "First line.\nsecond");
  EXPECT_EQ(parsed.file->declarations[1]->doc, "");
}

TEST(File, EmptyCommentOnlyAndMarkedFilesAreFine) {
  for (const char* text : {"", "\n\n", "// only this", "/* a\n b */",
                           "\xEF\xBB\xBF"
                           "edition 1\n",
                           "edition 1\r\npackage p\r\n", ";;\n"}) {
    Parsed parsed = ParseSource(text);
    EXPECT_FALSE(parsed.sink.has_errors()) << text << parsed.Errors();
  }
}

TEST(File, ByteOrderMarkDoesNotShiftSpans) {
  Parsed parsed = ParseSource("\xEF\xBB\xBFpackage é\n");
  ASSERT_EQ(parsed.sink.diagnostics().size(), 1u);
  EXPECT_EQ(parsed.files[FileId{0}].Text(parsed.sink.diagnostics()[0].span), "é");
}

TEST(File, SoundPartsSurviveBrokenOnes) {
  Parsed parsed = ParseSource(R"(
table t from A to B {
  I -> IMP
  O -> -> AMB
  E -> EMER
}
map m from f to Patient Patient {
  a: 1
  b: (2
  c: 3 3
  d: 4
}
events e = A01
)");
  EXPECT_EQ(parsed.sink.error_count(), 4u) << parsed.Errors();
  ASSERT_EQ(parsed.file->declarations.size(), 3u);
  EXPECT_EQ(ast::As<ast::TableDecl>(*parsed.file->declarations[0])->rows.size(), 2u);
  EXPECT_GE(MapAt(parsed, 1).lines.size(), 2u);
}

TEST(File, MissingBraceLosesNoLaterDeclaration) {
  Parsed parsed = ParseSource(
      "feed f {\n  owner \"x\"\n  on A01 {\n    require x\n\nmap m from f to T {\n  a: "
      "1\n}\nevents e = A01\n");
  EXPECT_EQ(parsed.sink.error_count(), 2u) << parsed.Errors();
  EXPECT_EQ(parsed.file->declarations.size(), 3u);
}

TEST(File, SizeIsBounded) {
  ParseOptions options{.max_bytes = 100};
  EXPECT_FALSE(ParseSource(std::string(100, ' '), options).sink.has_errors());
  Parsed past = ParseSource(std::string(101, ' '), options);
  ASSERT_EQ(past.sink.diagnostics().size(), 1u);
  EXPECT_EQ(InfoOf(past.sink.diagnostics()[0].kind).code, "E0108");
}

TEST(File, ErrorsAreBounded) {
  ParseOptions options{.max_errors = 3};
  std::string bad = "events e = =\n";
  EXPECT_EQ(ParseSource(bad + bad + bad, options).sink.error_count(), 3u);
  Parsed past = ParseSource(bad + bad + bad + bad + bad, options);
  EXPECT_EQ(past.sink.error_count(), 4u) << past.Errors();
  EXPECT_EQ(InfoOf(past.sink.diagnostics().back().kind).code, "E0110");
}

TEST(File, BlocksNestToTheLimit) {
  ParseOptions options{.max_depth = 20};
  auto nested = [](size_t depth) {
    std::string text = "map m to T {";
    for (size_t i = 1; i < depth; ++i) {
      text += " a: {";
    }
    text += " b: 1 ";
    return text + std::string(depth, '}') + "\n";
  };
  EXPECT_FALSE(ParseSource(nested(20), options).sink.has_errors());
  Parsed past = ParseSource(nested(21), options);
  ASSERT_TRUE(past.sink.has_errors());
  EXPECT_EQ(InfoOf(past.sink.diagnostics()[0].kind).code, "E0109");
}

TEST(File, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\xFF", "a\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    Parsed parsed = ParseSource(text);
    ASSERT_EQ(parsed.sink.diagnostics().size(), 1u);
    EXPECT_EQ(InfoOf(parsed.sink.diagnostics()[0].kind).code, "E0113");
  }
}

// docs/language.md shows every form in indented blocks; as far as they are whole declarations they
// must be read.
TEST(File, LanguageReferenceIsRead) {
  std::istringstream reference(ReadAll(std::string(WEIR_SOURCE_DIR) + "/docs/language.md"));
  std::string source;
  bool schematic = false;
  for (std::string line; std::getline(reference, line);) {
    if (line.starts_with("## ")) {
      schematic =
          line.find("Maps") != std::string::npos || line.find("Expressions") != std::string::npos;
    }
    if (line.starts_with("    ") && !schematic) {
      source += line.substr(4) + "\n";
    }
  }
  source = std::regex_replace(source, std::regex(R"( \[extends adt\]| \[except[^\]]*\])"), "");
  Parsed parsed = ParseSource(source);
  EXPECT_FALSE(parsed.sink.has_errors()) << parsed.Errors();
  EXPECT_GE(parsed.file->declarations.size(), 14u);
}

TEST(File, StdAndExamplesAreRead) {
  for (const char* path :
       {"dsl/std/v2/datatypes.weir", "dsl/std/v2/segments.weir", "dsl/std/v2/tables.weir",
        "examples/adt/adt.weir", "examples/tour/tour.weir"}) {
    std::string text = ReadAll(std::string(WEIR_SOURCE_DIR) + "/" + path);
    ASSERT_FALSE(text.empty()) << path;
    Parsed parsed = ParseSource(text);
    EXPECT_FALSE(parsed.sink.has_errors()) << path << "\n" << parsed.Errors();
    EXPECT_FALSE(parsed.file->declarations.empty()) << path;
  }
}

}  // namespace
}  // namespace weir::syntax
