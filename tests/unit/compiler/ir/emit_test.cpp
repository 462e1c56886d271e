#include "compiler/ir/interp/emit.h"

#include <gtest/gtest.h>

namespace weir::ir {
namespace {

const Zone kNewYork{"America/New_York",
                    {{-5'000'000'000, -18000}, {1173596400, -14400}, {1194156000, -18000}}};
const Zone kUtc{"UTC", {{-5'000'000'000, 0}}};

std::string Primitive(const char* kind, const char* text, const Zone* zone = &kNewYork) {
  bool degraded = false;
  auto json = PrimitiveJson(kind, Item{std::string(text)}, zone, &degraded);
  return (json ? *json : "refused") + (degraded ? " degraded" : "");
}

TEST(EmitTest, PrimitiveTexts) {
  EXPECT_EQ(Primitive("string", "a\"\\\n\x01\xC3\xA9/"), "\"a\\\"\\\\\\n\\u0001\xC3\xA9/\"");
  EXPECT_EQ(Primitive("code", " a \t b "), "\"a b\"");
  EXPECT_EQ(Primitive("uri", "urn:x"), "\"urn:x\"");
  EXPECT_EQ(Primitive("uri", "a b"), "refused");
  EXPECT_EQ(Primitive("id", "a-1.B"), "\"a-1.B\"");
  EXPECT_EQ(Primitive("id", "a_b"), "refused");
  EXPECT_EQ(Primitive("id", std::string(65, 'a').c_str()), "refused");
  EXPECT_EQ(Primitive("oid", "urn:oid:1.2.840"), "\"urn:oid:1.2.840\"");
  EXPECT_EQ(Primitive("oid", "urn:oid:1.02"), "refused");
  EXPECT_EQ(Primitive("oid", "urn:oid:3.2"), "refused");
  EXPECT_EQ(Primitive("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
            "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"");
  EXPECT_EQ(Primitive("uuid", "urn:uuid:c757873d"), "refused");
}

TEST(EmitTest, PrimitiveNumbers) {
  EXPECT_EQ(Primitive("boolean", "Y"), "true");
  EXPECT_EQ(Primitive("boolean", "false"), "false");
  EXPECT_EQ(Primitive("boolean", "y"), "refused");
  EXPECT_EQ(Primitive("integer", "+007"), "7");
  EXPECT_EQ(Primitive("integer", "2147483648"), "refused");
  EXPECT_EQ(Primitive("integer", "1.0"), "refused");
  EXPECT_EQ(Primitive("positiveInt", "0"), "refused");
  EXPECT_EQ(Primitive("unsignedInt", "0"), "0");
  EXPECT_EQ(Primitive("unsignedInt", "-1"), "refused");
  EXPECT_EQ(Primitive("decimal", "+001.50"), "1.50");
  EXPECT_EQ(Primitive("decimal", ".5"), "0.5");
  EXPECT_EQ(Primitive("decimal", "-5."), "-5");
  EXPECT_EQ(Primitive("decimal", "0.0000000000000000000000000000000000001"),
            "0.0000000000000000000000000000000000001");
  EXPECT_EQ(Primitive("decimal", "1e5"), "refused");
  EXPECT_EQ(Primitive("decimal", "."), "refused");
}

TEST(EmitTest, PrimitiveDates) {
  EXPECT_EQ(Primitive("date", "20240102030405-0500"), "\"2024-01-02\"");
  EXPECT_EQ(Primitive("date", "2024"), "\"2024\"");
  EXPECT_EQ(Primitive("date", "20240230"), "refused");
  EXPECT_EQ(Primitive("dateTime", "202401"), "\"2024-01\"");
  EXPECT_EQ(Primitive("dateTime", "2024010203"), "\"2024-01-02\" degraded");
  EXPECT_EQ(Primitive("dateTime", "202401020304"), "\"2024-01-02T03:04:00-05:00\"");
  EXPECT_EQ(Primitive("dateTime", "20070711030405.12"), "\"2007-07-11T03:04:05.12-04:00\"");
  EXPECT_EQ(Primitive("dateTime", "20240102030405+0000"), "\"2024-01-02T03:04:05+00:00\"");
  EXPECT_EQ(Primitive("dateTime", "20240102030405", &kUtc), "\"2024-01-02T03:04:05Z\"");
  EXPECT_EQ(Primitive("dateTime", "2024-01-02T03:04:05Z"), "\"2024-01-02T03:04:05Z\"");
  EXPECT_EQ(Primitive("dateTime", "20240102030405", nullptr), "\"2024-01-02\" degraded");
  EXPECT_EQ(Primitive("dateTime", "202401022400"), "refused");
  EXPECT_EQ(Primitive("instant", "202401020304"), "refused");
  EXPECT_EQ(Primitive("instant", "20240102030405"), "\"2024-01-02T03:04:05-05:00\"");
  EXPECT_EQ(Primitive("time", "0304"), "\"03:04:00\"");
  EXPECT_EQ(Primitive("time", "03"), "refused");
}

// One emission tree over no input.
std::string Emitted(std::string_view tree, Failure::Kind* failure = nullptr) {
  Module module;
  auto error = Parse(
      "(module \"p\" \"1\" \"\")(site \"schema\" \"value\" \"PID-7\" #0)(site \"schema\" \"value\" "
      "\"PID-8\" #1)"
      "(function \"g\" #1 (result:emit *) (param:any * \"x\" #0) (body (member:emit * \"g\" "
      "(primitive:emit * \"string\" #0 (var:any * #0)))))"
      "(function \"f\" #4 (result:emit *) (body " +
          std::string(tree) + "))",
      &module);
  EXPECT_EQ(error, std::nullopt);
  EXPECT_EQ(Verify(module), std::nullopt);
  EvalOptions options;
  Evaluator eval(module, options);
  eval.EnterFrame(4);
  Emitter emitter(eval, nullptr);
  bool wrote = emitter.Emit(*module.FindFunction("f")->body);
  EXPECT_EQ(wrote, !emitter.text().empty());
  if (failure != nullptr) {
    *failure = eval.failure().kind;
  } else {
    EXPECT_FALSE(eval.failed()) << eval.failure().message;
  }
  return emitter.text() + (eval.counters()[WEIR_COUNT_DEGRADED] != 0 ? " degraded" : "");
}

std::string Text(const char* value) {
  return "(primitive:emit * \"string\" #0 (lit:System.String 1 \"" + std::string(value) + "\"))";
}
std::string Member(const char* name, const std::string& kid) {
  return "(member:emit * \"" + std::string(name) + "\" " + kid + ")";
}
const std::string kNothing = "(primitive:emit * \"string\" #0 (empty:any 0))";

TEST(EmitTest, NothingLeavesNoTrace) {
  EXPECT_EQ(
      Emitted("(object:emit * " + Member("a", kNothing) + Member("b", Text("x")) +
              Member("c", "(object:emit *)") +
              Member("d", "(array:emit * " + kNothing + Text("y") + kNothing + Text("z") + ")") +
              ")"),
      R"({"b":"x","d":["y","z"]})");
  EXPECT_EQ(Emitted("(object:emit * " + Member("a", "(array:emit * " + kNothing + ")") + ")"), "");
}

TEST(EmitTest, ControlNodes) {
  EXPECT_EQ(Emitted("(first:emit * " + kNothing + Text("a") + Text("b") + ")"), "\"a\"");
  EXPECT_EQ(Emitted("(array:emit * (each:emit * #0 (binary:any * \"|\" (lit:System.String 1 \"a\") "
                    "(lit:System.String 1 \"b\")) "
                    "(object:emit * " +
                    Member("v", "(primitive:emit * \"string\" #0 (var:any * #0))") + ")))"),
            R"([{"v":"a"},{"v":"b"}])");
  EXPECT_EQ(Emitted("(when:emit * (empty:any 0) " + Text("a") + ")"), "");
  EXPECT_EQ(Emitted("(object:emit * (emit:emit * \"g\" (lit:System.String 1 \"in\")) " +
                    Member("x", "(json:emit * \"[1,{}]\")") + ")"),
            R"({"g":"in","x":[1,{}]})");
  EXPECT_EQ(Emitted("(reference:emit * \"Patient\" (lit:System.String 1 \"0f\"))"),
            R"({"reference":"Patient/0f"})");
  EXPECT_EQ(Emitted("(reference:emit * \"Patient\" (empty:any 0))"), "");
  EXPECT_EQ(Emitted("(count:emit * \"degraded\" " + Text("a") + ")"), "\"a\" degraded");
  EXPECT_EQ(Emitted("(count:emit * \"degraded\" " + kNothing + ")"), "");
}

TEST(EmitTest, RefusedValuesAskTheirSite) {
  Failure::Kind failure = Failure::Kind::kNone;
  // nothing is written, yet it is counted
  EXPECT_EQ(Emitted("(primitive:emit * \"date\" #1 (lit:System.String 1 \"20241399\"))"),
            " degraded");
  EXPECT_EQ(Emitted("(primitive:emit * \"date\" #0 (lit:System.String 1 \"20241399\"))", &failure),
            "");
  EXPECT_EQ(failure, Failure::Kind::kRejected);
  Emitted(
      "(primitive:emit * \"string\" #0 (binary:any * \"|\" (lit:System.String 1 \"a\") "
      "(lit:System.String 1 \"b\")))",
      &failure);
  EXPECT_EQ(failure, Failure::Kind::kError);
}

}  // namespace
}  // namespace weir::ir
