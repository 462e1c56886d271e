// FHIRPath over a small resource, trees in text form; the R4 suite (tests/differential/fhirpath)
// has the breadth.
#include <gtest/gtest.h>

#include "compiler/ir/interp/interp.h"

namespace weir::ir {
namespace {

std::string EvalText(std::string_view tree, EvalOptions options = {}) {
  Module module;
  auto error = Parse("(module \"p\" \"1\" \"\")(function \"f\" #9 (result:any *) (body " +
                         std::string(tree) + "))",
                     &module);
  if (error) {
    return "parse: " + *error;
  }
  if (auto broken = Verify(module)) {
    return "verify: " + *broken;
  }
  auto root = ParseJson(
      R"({"resourceType":"Patient","active":true,"_birthDate":{"extension":[{"url":"u","valueString":"x"}]},
      "name":[{"family":"Chalmers","given":["Peter","James"],"_given":[null,{"id":"g2"}]},{"given":["Jim"]}]})");
  auto items = Evaluate(module, *module.functions[0].body, 9, &*root, options);
  if (!items.ok()) {
    return "error: " + items.error().message;
  }
  std::string out;
  for (const Item& item : *items) {
    out += "[" + ToText(item) + "]";
  }
  return out;
}

std::string Lit(const char* type, const char* text) {
  return "(lit:System." + std::string(type) + " 1 \"" + text + "\")";
}
std::string Int(const char* text) { return Lit("Integer", text); }
std::string Op(const char* op, const std::string& a, const std::string& b) {
  return "(binary:any * \"" + std::string(op) + "\" " + a + b + ")";
}
std::string Call(const char* name, const std::string& kids) {
  return "(call:any * \"" + std::string(name) + "\" #1 " + kids + ")";
}
std::string Path(const char* a, const char* b) {
  return "(child:any * \"" + std::string(b) + "\" (child:any * \"" + a + "\" (message:any 1)))";
}
const std::string kEmpty = "(empty:any 0)";

TEST(FhirPathTest, NavigatesJson) {
  EXPECT_EQ(EvalText(Path("name", "given")), "[Peter][James][Jim]");
  EXPECT_EQ(EvalText(Path("birthDate", "extension")), R"([{"url":"u","valueString":"x"}])");
  EXPECT_EQ(EvalText(Path("name", "nothing")), "");
  EXPECT_EQ(EvalText("(child:any * \"id\" " + Path("name", "given") + ")"), "[g2]");
  EXPECT_EQ(EvalText(Call("hasValue", "(child:any * \"birthDate\" (message:any 1))")), "[false]");
}

TEST(FhirPathTest, LogicIsThreeValued) {
  const std::string t = Lit("Boolean", "true"), f = Lit("Boolean", "false");
  EXPECT_EQ(EvalText(Op("and", kEmpty, f)), "[false]");
  EXPECT_EQ(EvalText(Op("and", kEmpty, t)), "");
  EXPECT_EQ(EvalText(Op("or", kEmpty, t)), "[true]");
  EXPECT_EQ(EvalText(Op("or", f, kEmpty)), "");
  EXPECT_EQ(EvalText(Op("implies", f, kEmpty)), "[true]");
  EXPECT_EQ(EvalText(Op("implies", kEmpty, t)), "[true]");
  EXPECT_EQ(EvalText(Op("implies", t, kEmpty)), "");
  EXPECT_EQ(EvalText(Op("xor", t, kEmpty)), "");
}

TEST(FhirPathTest, LambdasSeeThisIndexAndTotal) {
  std::string three = Op("|", Op("|", Int("1"), Int("2")), Int("3"));
  EXPECT_EQ(EvalText(Call("where", three + Op(">", "(var:any * #1)", Int("1")))), "[2][3]");
  EXPECT_EQ(EvalText(Call("select", three + "(var:any * #2)")), "[0][1][2]");
  EXPECT_EQ(
      EvalText(Call("aggregate", three + Op("+", "(var:any * #1)", "(var:any * #3)") + Int("2"))),
      "[8]");
  EXPECT_EQ(EvalText(Call("sort", three + "(unary:any * \"-\" (var:any * #1))")), "[3][2][1]");
}

TEST(FhirPathTest, ErrorsSayWhatWasWrong) {
  EXPECT_EQ(EvalText(Call("single", Path("name", "given"))),
            "error: more than one item where one is allowed");
  EXPECT_EQ(EvalText(Op("+", Int("1"), Lit("String", "a"))), "error: operands of + do not fit");
  EXPECT_EQ(EvalText(Call("matches", Lit("String", "a") + Lit("String", "("))),
            "error: malformed regular expression");
}

TEST(FhirPathTest, IntegersOverflowToEmpty) {
  EXPECT_EQ(EvalText(Op("+", Int("2147483647"), Int("1"))), "");
  EXPECT_EQ(EvalText(Op("+", Int("2147483646"), Int("1"))), "[2147483647]");
}

TEST(FhirPathTest, StringsCountCodePoints) {
  EXPECT_EQ(EvalText(Call("length", Lit("String", "h\xC3\xA9"))), "[2]");
  EXPECT_EQ(EvalText(Call("substring", Lit("String", "h\xC3\xA9llo") + Int("1") + Int("2"))),
            "[\xC3\xA9l]");
  EXPECT_EQ(
      EvalText(Call("replace", Lit("String", "abc") + Lit("String", "") + Lit("String", "-"))),
      "[-a-b-c-]");
}

TEST(FhirPathTest, LimitsHold) {
  EvalOptions options;
  options.max_items = 4;
  EXPECT_EQ(EvalText(Call("descendants", "(message:any 1)"), options),
            "error: document too deep or too large");
  options = {};
  options.max_steps = 3;
  EXPECT_EQ(EvalText(Op("+", Int("1"), Int("1")), options), "[2]");
  EXPECT_EQ(EvalText(Op("+", Op("+", Int("1"), Int("1")), Int("1")), options),
            "error: too many steps");
}

TEST(FhirPathTest, ClockIsTheCallers) {
  EvalOptions options;
  options.now = "2024-02-03T04:05:06.000+01:00";
  EXPECT_EQ(EvalText(Call("now", kEmpty), options), "[2024-02-03T04:05:06.000+01:00]");
  EXPECT_EQ(EvalText(Call("today", kEmpty), options), "[2024-02-03]");
}

}  // namespace
}  // namespace weir::ir
