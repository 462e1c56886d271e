// What people, programs and code hosts are shown.
#include "compiler/diag/render.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weir {
namespace {

struct Fixture {
  SourceFiles files;
  FileId file = files.Add("adt.weir", "map m {\n\tnäme: PID-7 x\n}\n");

  Diagnostic At(std::string_view text, std::string message) {
    size_t at = files[file].text().find(text);
    Span span{file, static_cast<uint32_t>(at), static_cast<uint32_t>(at + text.size())};
    return {.kind = DiagnosticKind::kExpected,
            .span = span,
            .message = std::move(message),
            .help = "",
            .notes = {},
            .label = ""};
  }
};

TEST(RenderText, PointsAtTheExactColumns) {
  Fixture f;
  Diagnostic d = f.At("PID-7", "wrong");
  d.label = "a text";
  d.help = "mend it";
  EXPECT_EQ(RenderText(f.files, {d}),
            "error[E0101]: wrong\n"
            " --> adt.weir:2:9\n"
            "2 |  näme: PID-7 x\n"
            "  |        ^^^^^ a text\n"
            "help: mend it\n"
            "details: weir explain E0101\n");
}

TEST(RenderText, MarksOneColumnForAnEmptyRangeAndOneLineForALongOne) {
  Fixture f;
  Diagnostic end = f.At("PID-7 x", "end");
  end.span.begin = end.span.end;
  EXPECT_NE(RenderText(f.files, {end}).find("  |               ^\n"), std::string::npos)
      << RenderText(f.files, {end});
  Diagnostic block = f.At("{\n\tnäme: PID-7 x\n}", "block");
  EXPECT_NE(RenderText(f.files, {block}).find("1 | map m {\n  |       ^\n"), std::string::npos)
      << RenderText(f.files, {block});
}

TEST(RenderText, ShowsNotesAndSeparatesDiagnostics) {
  Fixture f;
  Diagnostic d = f.At("x", "twice");
  d.notes.push_back({f.At("map", "").span, "the first one"});
  std::string text = RenderText(f.files, {d, d});
  EXPECT_NE(text.find("note: the first one\n --> adt.weir:1:1\n1 | map m {\n  | ^^^\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("E0101\n\nerror"), std::string::npos) << text;
}

TEST(RenderText, CutsLongLinesAroundTheCaret) {
  SourceFiles files;
  std::string line(400, 'a');
  line.replace(300, 3, "bad");
  FileId id = files.Add("x", line);
  Diagnostic d{.kind = DiagnosticKind::kExpected,
               .span = {id, 300, 303},
               .message = "m",
               .help = "",
               .notes = {},
               .label = ""};
  std::string text = RenderText(files, {d}, {.max_line_columns = 40});
  size_t source = text.find("1 | ") + 4;
  size_t caret = text.find("  | ") + 4;
  size_t bad = text.find("bad", source);
  ASSERT_NE(bad, std::string::npos) << text;
  // The ellipsis is three bytes and one column.
  EXPECT_EQ(text.find("^^^", caret) - caret, bad - source - 2) << text;
}

TEST(RenderText, CutsLinesThatAreNotUtf8) {
  SourceFiles files;
  FileId id = files.Add("x", std::string(400, '\x80'));
  Diagnostic d{.kind = DiagnosticKind::kNotUtf8,
               .span = {id, 0, 1},
               .message = "m",
               .help = "",
               .notes = {},
               .label = ""};
  EXPECT_FALSE(RenderText(files, {d}, {.max_line_columns = 0}).empty());
}

TEST(RenderText, WorksWithoutAPlace) {
  SourceFiles files;
  Diagnostic d{.kind = DiagnosticKind::kTooLarge,
               .span = {},
               .message = "m",
               .help = "",
               .notes = {},
               .label = ""};
  EXPECT_EQ(RenderText(files, {d}), "error[E0108]: m\ndetails: weir explain E0108\n");
}

TEST(RenderJson, IsOneLineWithCounts) {
  Fixture f;
  Diagnostic d = f.At("PID-7", "wrong \"thing\"");
  d.help = "h";
  d.notes.push_back({f.At("map", "").span, "n"});
  std::string text = RenderJson(f.files, {d});
  EXPECT_EQ(text.find('\n'), std::string::npos);
  nlohmann::json json = nlohmann::json::parse(text);
  EXPECT_EQ(json["errors"], 1);
  EXPECT_EQ(json["warnings"], 0);
  const nlohmann::json& first = json["diagnostics"][0];
  EXPECT_EQ(first["code"], "E0101");
  EXPECT_EQ(first["severity"], "error");
  EXPECT_EQ(first["message"], "wrong \"thing\"");
  EXPECT_EQ(first["help"], "h");
  EXPECT_EQ(first["path"], "adt.weir");
  EXPECT_EQ(first["line"], 2);
  EXPECT_EQ(first["column"], 9);
  EXPECT_EQ(first["end_column"], 14);
  EXPECT_EQ(first["notes"][0]["line"], 1);
  EXPECT_EQ(RenderJson(f.files, {}), R"({"diagnostics":[],"errors":0,"warnings":0})");
}

TEST(RenderSarif, HasWhatTheFormatRequires) {
  Fixture f;
  nlohmann::json json = nlohmann::json::parse(
      RenderSarif(f.files, {f.At("PID-7", "wrong"), f.At("x", "other")}, "0.1.0"));
  EXPECT_EQ(json["version"], "2.1.0");
  const nlohmann::json& run = json["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "weir");
  ASSERT_EQ(run["tool"]["driver"]["rules"].size(), 1u);
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["id"], "E0101");
  ASSERT_EQ(run["results"].size(), 2u);
  EXPECT_EQ(run["results"][0]["ruleId"], "E0101");
  EXPECT_EQ(run["results"][0]["level"], "error");
  EXPECT_EQ(run["results"][0]["message"]["text"], "wrong");
  const nlohmann::json& place = run["results"][0]["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "adt.weir");
  EXPECT_EQ(place["region"]["startLine"], 2);
}

TEST(Explain, SaysTitleAndWrappedExplanation) {
  std::string text = Explain("e0105");
  EXPECT_TRUE(text.starts_with("E0105: a bracket is not closed\n\n")) << text;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 80u) << text.substr(at, end - at);
    at = end + 1;
  }
  EXPECT_EQ(Explain("E9999"), "");
}

}  // namespace
}  // namespace weir
