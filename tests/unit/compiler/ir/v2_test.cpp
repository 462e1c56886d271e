#include "compiler/ir/interp/v2.h"

#include <gtest/gtest.h>

#include "compiler/ir/interp/eval.h"

namespace weir::ir {
namespace {

constexpr char kMessage[] =
    "MSH|^~\\&|EAST|FAC|||20240102030405||ADT^a01|42|P|2.5.1\r"
    "EVN|A01\r\n"
    "PID|1||123^^^EAST&1.2.3&ISO^MR~\"\"~ ^ ~456||Smith \\T\\ Sons^J\\X41\\n||\"\"|F\r"
    "NK1|1|A\rNK1|2|B  \r";

// Evaluates a value tree in text form over kMessage and shows its texts.
std::string EvalText(std::string_view tree) {
  Module module;
  auto error = Parse(
      "(module \"p\" \"1\" \"\")(authority \"east\" \"urn:oid:9.9\" \"EAST\")"
      "(authority \"unknown\" \"urn:x:\")(function \"f\" #9 (result:any *) (body " +
          std::string(tree) + "))",
      &module);
  if (error) {
    return "parse: " + *error;
  }
  if (auto broken = Verify(module)) {
    return "verify: " + *broken;
  }
  V2Message message(kMessage, nullptr);
  EvalOptions options;
  Evaluator eval(module, options);
  eval.SetMessage(&message);
  eval.EnterFrame(9);
  std::string out;
  for (const Item& item : eval.Eval(*module.functions[0].body)) {
    const V2Item* v2 = item.As<V2Item>();
    out += "[" + (v2 != nullptr ? std::string(message.Slice(*v2)) : ToText(item)) + "]";
  }
  return eval.failed() ? "failed: " + eval.failure().message : out;
}

std::string Field(const char* segment, int n, const char* type = "v2.CX") {
  return "(field:" + std::string(type) + " * #" + std::to_string(n) + " (segments:v2.segment." +
         segment + " * \"" + segment + "\" (message:v2.message 1)))";
}

TEST(V2InterpTest, FieldsAreThePresentOccurrences) {
  EXPECT_EQ(EvalText(Field("PID", 3)), "[123^^^EAST&1.2.3&ISO^MR][456]");
  EXPECT_EQ(EvalText(Field("PID", 2)), "");
  EXPECT_EQ(EvalText(Field("PID", 99)), "");
  EXPECT_EQ(EvalText(Field("MSH", 1)), "[|]");
  EXPECT_EQ(EvalText(Field("MSH", 2)), "[^~\\&]");
  EXPECT_EQ(EvalText(Field("MSH", 3)), "[EAST]");
  EXPECT_EQ(EvalText(Field("NK1", 2)), "[A][B]");
}

TEST(V2InterpTest, RepetitionCountsWrittenOnes) {
  EXPECT_EQ(EvalText("(repetition:v2.CX ? #4 " + Field("PID", 3) + ")"), "[456]");
  EXPECT_EQ(EvalText("(repetition:v2.CX ? #2 " + Field("PID", 3) + ")"), "");
  EXPECT_EQ(EvalText("(repetition:v2.CX ? #5 " + Field("PID", 3) + ")"), "");
}

TEST(V2InterpTest, ComponentsCutByLevel) {
  std::string hd = "(component:v2.HD * #4 " + Field("PID", 3) + ")";
  EXPECT_EQ(EvalText(hd), "[EAST&1.2.3&ISO]");
  EXPECT_EQ(EvalText("(component:v2.ST * #2 " + hd + ")"), "[1.2.3]");
  EXPECT_EQ(EvalText("(subcomponent:v2.ID * #3 " + hd + ")"), "[ISO]");
  EXPECT_EQ(EvalText("(component:v2.ST * #1 (component:v2.ST * #1 " + Field("PID", 3) + "))"),
            "[123][456]");
}

TEST(V2InterpTest, TextUndoesEscapesAndCutsComposites) {
  EXPECT_EQ(EvalText("(text:System.String * " + Field("PID", 5, "v2.XPN") + ")"), "[Smith & Sons]");
  EXPECT_EQ(EvalText("(text:System.String * " + Field("PID", 5, "v2.ST") + ")"),
            "[Smith & Sons^JAn]");
  EXPECT_EQ(EvalText("(text:System.String * " + Field("PID", 3) + ")"), "[123][456]");
}

TEST(V2InterpTest, Escapes) {
  V2Message message(kMessage, nullptr);
  auto text = [&](const char* slice) { return message.Unescape(slice); };
  EXPECT_EQ(text("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"), "a|b^c&d~e\\f");
  EXPECT_EQ(text("a\\.br\\b\\.sp3\\c\\.sp\\d\\H\\e\\N\\\\.in+4\\f"), "a\nb\n\n\nc\ndef");
  EXPECT_EQ(text("\\XC3A9\\"), "\xC3\xA9");
  EXPECT_EQ(text("\\XC3\\"), "\\XC3\\");  // not UTF-8
  EXPECT_EQ(text("\\X00\\"), "\\X00\\");  // a control
  EXPECT_EQ(text("\\X4\\"), "\\X4\\");
  EXPECT_EQ(text("C:\\temp\\F\\x"), "C:\\temp|x");
  EXPECT_EQ(text("50\\"), "50\\");
  EXPECT_EQ(text("\\.sp999\\").size(), 100u);
}

TEST(V2InterpTest, NullIsSeenByIsNullOnly) {
  EXPECT_EQ(EvalText("(isnull:System.Boolean 1 " + Field("PID", 7) + ")"), "[true]");
  EXPECT_EQ(EvalText("(isnull:System.Boolean 1 " + Field("PID", 3) + ")"), "[true]");
  EXPECT_EQ(EvalText("(isnull:System.Boolean 1 " + Field("PID", 8) + ")"), "[false]");
  EXPECT_EQ(EvalText(Field("PID", 7)), "");
}

TEST(V2InterpTest, Authorities) {
  auto authority = [](const char* message_text) {
    Module module;
    module.authorities = {{"east", "urn:oid:9.9", {"EAST"}}, {"unknown", "urn:x:", {}}};
    std::string text = std::string("MSH|^~\\&|") + message_text + "\r";
    V2Message message(text, nullptr);
    EvalOptions options;
    Evaluator eval(module, options);
    eval.SetMessage(&message);
    Node* input = module.New(Op::kField, {"v2.HD"},
                             {module.New(Op::kSegments, {"v2.segment.MSH"},
                                         {module.New(Op::kMessage, {"v2.message"})}, "MSH")},
                             "", 3);
    Items items = eval.Eval(*module.New(Op::kAuthority, {"System.String"}, {input}));
    return items.empty() ? std::string("-") : ToText(items[0]);
  };
  EXPECT_EQ(authority("EAST^1.2.3^ISO"), "urn:oid:9.9");
  EXPECT_EQ(authority("W^1.2.3^ISO"), "urn:oid:1.2.3");
  EXPECT_EQ(authority("W^0B1F6F2C-8B1A-4C62-9F0E-5A7D3C9E1A2B^UUID"), "urn:uuid:0b1f6f2c-8b1a-4c62-9f0e-5a7d3c9e1a2b");
  EXPECT_EQ(authority("W^http://w.example^URI"), "http://w.example");
  EXPECT_EQ(authority("W 1^w.example^DNS"), "urn:x:W%201");
  EXPECT_EQ(authority("^w.example^DNS"), "urn:x:w.example");
  EXPECT_EQ(authority("^^ISO"), "-");
}

// Groups as in ADT_A01 and ORU_R01: places, repeats, nesting and segments out of place.
std::string Groups(const char* segments, std::string_view tree) {
  Module module;
  auto error = Parse(
      "(module \"p\" \"1\" \"\")(structure \"X_X01\" \"X^X01\" (segment \"MSH\" #0) (segment "
      "\"PID\" #0) (segment \"ROL\" #1)"
      " (group \"PROCEDURE\" #1 (segment \"PR1\" #0) (segment \"ROL\" #1))"
      " (group \"RESULT\" #1 (segment \"OBR\" #0) (segment \"NTE\" #1) (group \"OBSERVATION\" #1 "
      "(segment \"OBX\" #0) (segment \"NTE\" #1))"
      "  (group \"SPECIMEN\" #0 (segment \"SPM\" #0) (segment \"OBX\" #1))))"
      "(function \"f\" #1 (result:any *) (body " +
          std::string(tree) + "))",
      &module);
  EXPECT_EQ(error, std::nullopt);
  std::string text = std::string("MSH|^~\\&|||||||X^X01\r") + segments;
  for (char& c : text) {
    c = c == ' ' ? '\r' : c;
  }
  V2Message message(text, nullptr);
  message.AssignGroups(module.structures);
  EvalOptions options;
  Evaluator eval(module, options);
  eval.SetMessage(&message);
  std::string out;
  for (const Item& item : eval.Eval(*module.functions[0].body)) {
    const V2Item& v2 = *item.As<V2Item>();
    out += "[";
    for (uint32_t i = v2.begin; v2.level == V2Level::kGroup && i < v2.end; ++i) {
      std::string_view segment = std::string_view(text).substr(
          message.segments()[i].begin, message.segments()[i].end - message.segments()[i].begin);
      out += (i > v2.begin ? " " : "") + std::string(segment);
    }
    out += v2.level == V2Level::kSegment ? std::string(message.Slice(v2)) : "";
    out += "]";
  }
  return out;
}

TEST(V2InterpTest, GroupsFollowTheStructure) {
  const std::string message = "(message:v2.message 1)";
  auto groups = [&](const char* name, const std::string& input) {
    return "(groups:any * \"" + std::string(name) + "\" " + input + ")";
  };
  auto segments = [&](const char* name, const std::string& input) {
    return "(segments:any * \"" + std::string(name) + "\" " + input + ")";
  };
  const char* adt = "PID|1 ROL|a PR1|1 ROL|b ROL|c PR1|2 ZZZ|z PR1|3";
  EXPECT_EQ(Groups(adt, groups("PROCEDURE", message)), "[PR1|1 ROL|b ROL|c][PR1|2 ZZZ|z][PR1|3]");
  EXPECT_EQ(Groups(adt, segments("ROL", groups("PROCEDURE", message))), "[ROL|b][ROL|c]");
  EXPECT_EQ(Groups(adt, segments("ROL", message)), "[ROL|a][ROL|b][ROL|c]");
  const char* oru = "PID|1 OBR|1 NTE|o OBX|1 NTE|x OBX|2 SPM|1 OBX|s OBX|t OBR|2 OBX|3";
  EXPECT_EQ(Groups(oru, groups("RESULT", message)),
            "[OBR|1 NTE|o OBX|1 NTE|x OBX|2 SPM|1 OBX|s OBX|t][OBR|2 OBX|3]");
  EXPECT_EQ(Groups(oru, groups("OBSERVATION", message)), "[OBX|1 NTE|x][OBX|2][OBX|3]");
  EXPECT_EQ(Groups(oru, groups("OBSERVATION", groups("RESULT", message))),
            "[OBX|1 NTE|x][OBX|2][OBX|3]");
  EXPECT_EQ(Groups(oru, segments("NTE", groups("RESULT", message))),
            "[NTE|o]");  // not those of OBSERVATION, which repeats
  EXPECT_EQ(Groups(oru, segments("OBX", groups("RESULT", message))),
            "[OBX|s][OBX|t]");  // SPECIMEN does not repeat
  EXPECT_EQ(Groups("PID|1", groups("RESULT", message)), "");
}

TEST(V2InterpTest, EventAndMissingDelimiters) {
  EXPECT_EQ(EvalText("(event:System.String ?)"), "[A01]");
  V2Message message("MSH|^~|A|B|||||ADT\rEVN|a03\rPID|a&b\r", nullptr);
  ASSERT_TRUE(message.valid());
  EXPECT_EQ(message.Event(), "A03");
  EXPECT_EQ(message.FieldText("PID", 1, 1), "a&b");  // no subcomponent delimiter was declared
  EXPECT_FALSE(V2Message("MSH", nullptr).valid());
  EXPECT_FALSE(V2Message("PID|1", nullptr).valid());
}

}  // namespace
}  // namespace weir::ir
