#include "compiler/ir/ir.h"

#include <gtest/gtest.h>

namespace weir::ir {
namespace {

constexpr char kModule[] = R"((module "east" "1" "abcd")
(table "sex" "HL70001" "http://hl7.org/fhir/administrative-gender" "dead_letter" #0 (row "" "" "" "") (row "F" "female" "Female" "") (row "M" "male" "Ma\"le\\" ""))
(authority "east" "urn:oid:1.2" "EAST" "EASTHOSP")
(zone "America/New_York" #-9223372036854775808 #-18000 #1173596400 #-14400)
(site "schema" "required" "PID-3" #0)
(function "CX_Identifier" #1 (result:emit *) (param:v2.CX 1 "this" #0)
  (body (object:emit * (member:emit * "value" (primitive:emit * "string" #0 (text:System.String ? (component:v2.ST ? #1 (var:v2.CX 1 #0)))))))
)
(map "patient" "Patient" "patch" #1 #0)
(structure "ADT_A01" "ADT^A01" "ADT^A04" (segment "MSH" #0) (group "PROCEDURE" #1 (segment "PR1" #0) (segment "ROL" #1)))
(feed "adt" "1.0.0" "" #0 #600 #-1 #2
  (accept "ADT^A01" "ADT^*")
  (processing "P")
  (versions)
  (except "MSH-7" "MSH-13")
  (segment "ZPV" "PV1")
  (route (binary:System.Boolean ? "=" (text:System.String ? (field:v2.HD ? #4 (segments:v2.segment.MSH * "MSH" (message:v2.message 1)))) (lit:System.String 1 "EAST\n\x01")))
  (key (lit:System.String 1 "k"))
  (transform (seq:emit * (require:emit * #0 (lit:System.Boolean 1 "true"))))
)
(order "Patient" "resourceType" "id" "name")
(together "Patient" "deceased" "name")
)";

std::string Rejected(std::string_view text) {
  Module module;
  auto error = Parse(text, &module);
  return error ? "parse: " + *error : Verify(module).value_or("");
}

// A function whose body is `body`, result emission or value by the type.
std::string VerifyBody(std::string_view result, std::string_view body) {
  return Rejected(
      "(module \"p\" \"1\" \"\")(site \"schema\" \"value\" \"\" #0)(function \"f\" #4 (result:" +
      std::string(result) + " *) (param:any * \"a\" #0) (body " + std::string(body) + "))");
}

TEST(IrTest, PrintAndParseAreInverse) {
  Module module;
  EXPECT_EQ(Parse(kModule, &module), std::nullopt);
  EXPECT_EQ(Verify(module), std::nullopt);
  // The printer puts the body on its own line; only blanks differ from the text above.
  std::string printed = Print(module);
  Module again;
  ASSERT_EQ(Parse(printed, &again), std::nullopt);
  EXPECT_EQ(Print(again), printed);
  EXPECT_EQ(module.tables[0].rows[1].display, "Ma\"le\\");
  EXPECT_EQ(module.feeds[0].route->kids[1]->text, "EAST\n\x01");
  EXPECT_EQ(module.zones[0].transitions[1], (std::pair<int64_t, int32_t>(1173596400, -14400)));
  EXPECT_EQ(module.structures[0].items[1].items[1].name, "ROL");
  EXPECT_EQ(module.functions[0].params[0].type, (Type{"v2.CX", true, Max::kOne}));
}

TEST(IrTest, EveryCutOfTheTextIsRefused) {
  std::string text = kModule;
  text.resize(text.find_last_of(')'));  // without the last parenthesis
  for (size_t size = 1; size < text.size(); ++size) {
    Module module;
    std::string_view cut = std::string_view(text).substr(0, size);
    if (cut.back() == '\n' || cut.ends_with(")")) {
      continue;  // may end a declaration
    }
    EXPECT_NE(Parse(cut, &module), std::nullopt) << size;
  }
}

TEST(IrTest, VerifyNamesTheBrokenRule) {
  EXPECT_EQ(VerifyBody("any", "(var:any * #0)"), "");
  EXPECT_EQ(VerifyBody("any", "(var:any * #1)"), "function f > var: slot is not bound");
  EXPECT_EQ(VerifyBody("any", "(let:any * #1 (empty:any 0) (var:any * #1))"), "");
  EXPECT_EQ(VerifyBody("any", "(let:any * #4 (empty:any 0) (var:any * #4))"),
            "function f > let: slot out of range");
  EXPECT_EQ(VerifyBody("any", "(let:any * #1 (empty:any 0))"),
            "function f > let: wrong number of kids");
  EXPECT_EQ(VerifyBody("any", "(call:any * \"where\" #1 (var:any * #0) (var:any * #1))"), "");
  EXPECT_EQ(VerifyBody("any", "(call:any * \"wherever\" #1 (var:any * #0))"),
            "function f > call: unknown function");
  EXPECT_EQ(VerifyBody("any", "(lookup:any * \"sex\" #0 (var:any * #0))"),
            "function f > lookup: unknown table");
  EXPECT_EQ(VerifyBody("any", "(object:emit *)"), "function f > object: stands where it cannot");
  EXPECT_EQ(VerifyBody("emit", "(object:emit *)"), "");
  EXPECT_EQ(VerifyBody("emit", "(primitive:emit * \"string\" #1 (var:any * #0))"),
            "function f > primitive: unknown site");
  EXPECT_EQ(VerifyBody("emit", "(reject:emit * #0)"),
            "function f > reject: stands where it cannot");
  EXPECT_EQ(VerifyBody("any", "(lit:System.String|FHIR.code 1 \"\")"),
            "function f > lit: type name is not well-formed");
  EXPECT_EQ(VerifyBody("any", "(lit:FHIR.code|System.String 1 \"\")"), "");
  EXPECT_EQ(VerifyBody("any", "(binary:any * \"=>\" (empty:any 0) (empty:any 0))"),
            "function f > binary: unknown operator");
}

TEST(IrTest, RecursionIsRefused) {
  auto two = [](const char* g) {
    return "(module \"p\" \"1\" \"\")(function \"f\" #1 (result:any *) (body (call:any * \"g\" #0 "
           "(empty:any 0))))"
           "(function \"g\" #1 (result:any *) (body " +
           std::string(g) + "))";
  };
  EXPECT_EQ(Rejected(two("(call:any * \"f\" #0 (empty:any 0))")), "function f: calls itself");
  EXPECT_EQ(Rejected(two("(call:any * \"g\" #0 (empty:any 0))")), "function g: calls itself");
  EXPECT_EQ(Rejected(two("(empty:any 0)")), "");
}

// Whatever still parses after damage prints to a text that parses to the same.
TEST(IrTest, DamagedTextNeverBreaksTheRoundTrip) {
  uint64_t state = 1;
  auto random = [&state](size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(state >> 33) % bound;
  };
  int parsed = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = kModule;
    for (size_t hits = 1 + random(3); hits > 0; --hits) {
      size_t at = random(text.size());
      switch (random(3)) {
        case 0:
          text[at] = static_cast<char>(random(256));
          break;
        case 1:
          text.erase(at, 1 + random(8));
          break;
        default:
          text.insert(at, text.substr(random(text.size()), random(16)));
          break;
      }
    }
    Module module;
    if (Parse(text, &module)) {
      continue;
    }
    ++parsed;
    Verify(module);
    std::string printed = Print(module);
    Module again;
    ASSERT_EQ(Parse(printed, &again), std::nullopt) << printed;
    ASSERT_EQ(Print(again), printed);
  }
  EXPECT_GT(parsed, 1000);
}

TEST(IrTest, NestingIsBounded) {
  auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) {
      text += "(unary:any * \"-\" ";
    }
    return text + "(empty:any 0)" + std::string(static_cast<size_t>(depth), ')');
  };
  EXPECT_EQ(VerifyBody("any", nested(1000)), "");
  EXPECT_NE(VerifyBody("any", nested(1001)).find("nested too deeply"), std::string::npos);
}

}  // namespace
}  // namespace weir::ir
