// `weir fmt`: the layout, and that it changes no token and is its own fixed point.
#include "compiler/syntax/format.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/compiler/syntax/test_util.h"

namespace weir::syntax {
namespace {

std::string Formatted(const std::string& text) {
  SourceFiles files;
  FileId id = files.Add("test.weir", text);
  return Format(files[id], id);
}

TEST(Format, Layout) {
  struct Case {
    const char* before;
    const char* after;
  };
  const Case kCases[] = {
      {"", ""},
      {"edition   1\n\n\n\npackage  east", "edition 1\n\npackage east\n"},
      {"map m from f to T{\nkey mrn\n   name :each PID-5   // the name\n}\n",
       "map m from f to T {\n  key mrn\n  name: each PID-5  // the name\n}\n"},
      {"map m to T {\n\n  a: { b:1;c :2 } when x.exists( )\n\n}\n",
       "map m to T {\n  a: { b: 1; c: 2 } when x.exists()\n}\n"},
      {"map m to T {\n  a: x\n   .first()\n      else  'y'\n}",
       "map m to T {\n  a: x\n      .first()\n      else 'y'\n}\n"},
      {"fn f( a,b )=a&b-1+ -c", "fn f(a, b) = a & b-1 + -c\n"},
      {"fn f(a) = (a.1 or .2) and(.3)", "fn f(a) = (a.1 or .2) and(.3)\n"},
      {"map m to T conforms us-core-patient {\n  key .1 , PID-3[ authority east,type MR ]#1\n}\n",
       "map m to T conforms us-core-patient {\n  key .1, PID-3[authority east, type MR]#1\n}\n"},
      {"table t from A to B { I->IMP  \"x\"\n}", "table t from A to B { I -> IMP \"x\"\n}\n"},
      {"/* one\n   two */ events e = A01 .. A08", "/* one\n   two */ events e = A01..A08\n"},
      {"feed f {\n    // why\n    owner \"x\" ; late after 10 minutes\n}",
       "feed f {\n  // why\n  owner \"x\"; late after 10 minutes\n}\n"},
      {"feed f {\r\n  owner \"x\"\r\n}\r\n", "feed f {\n  owner \"x\"\n}\n"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(Formatted(c.before), c.after);
    EXPECT_EQ(Formatted(c.after), c.after);
  }
}

// Blanks and line breaks aside, which fmt may change, and spans, the tree must be the same.
std::string Shape(const ast::File& file, const SourceFiles& files) {
  std::string out;
  for (const ast::DeclPtr& decl : file.declarations) {
    std::string text(files[decl->span.file].Text(decl->span));
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
    out += std::to_string(static_cast<int>(decl->kind)) + decl->name.text + text + "\n";
    if (const auto* map = ast::As<ast::MapDecl>(*decl)) {
      out += std::to_string(map->lines.size());
    }
  }
  return out;
}

TEST(Format, KeepsMeaningAndIsStable) {
  namespace fs = std::filesystem;
  size_t checked = 0;
  for (const char* folder : {"dsl", "examples", "tests/golden/syntax", "bench"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(std::string(WEIR_SOURCE_DIR) + "/" + folder)) {
      if (entry.path().extension() != ".weir" ||
          entry.path().filename().string().starts_with("fail_")) {
        continue;
      }
      std::string text = ReadAll(entry.path().string());
      std::string once = Formatted(text);
      EXPECT_EQ(Formatted(once), once) << entry.path();
      Parsed before = ParseSource(text);
      Parsed after = ParseSource(once);
      EXPECT_FALSE(after.sink.has_errors()) << entry.path() << "\n" << after.Errors();
      EXPECT_EQ(Shape(*before.file, before.files), Shape(*after.file, after.files)) << entry.path();
      ++checked;
    }
  }
  EXPECT_GE(checked, 6u);
}

}  // namespace
}  // namespace weir::syntax
