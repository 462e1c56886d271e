#include "tests/differential/engines/programs.h"

namespace weir::engines {

using ir::Node;
using ir::Op;

namespace {

const std::vector<std::string> kSegments = {"MSH", "EVN", "PID", "PV1", "NK1", "OBR", "OBX", "NTE", "ORC", "ZZZ"};
const std::vector<std::string> kGroups = {"PATIENT", "VISIT", "ORDER", "OBSERVATION", "NEXT"};
const std::vector<std::string> kFieldTypes = {"v2.CX", "v2.XPN", "v2.ST", "v2.DTM", "v2.NM", "v2.HD", "v2.CWE"};
const std::vector<std::string> kTexts = {"", "A", "M", "F", "A01", "EAST", "777", "20240102", "x y", "\xC3\xA9" "a", "0", "-1.50", "0012.3"};
const std::vector<std::string> kPrimitives = {"string", "markdown", "code", "uri", "url", "canonical", "id", "oid", "uuid", "boolean", "integer",
                                              "positiveInt", "unsignedInt", "decimal", "date", "dateTime", "instant", "time"};
const std::vector<std::string> kComparisons = {"=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "contains"};
const std::vector<std::string> kLogic = {"and", "or", "xor", "implies"};

}  // namespace

Node* ProgramMaker::New(Op op, const std::string& type, std::vector<Node*> kids, std::string text, int64_t number) {
  return module_->New(op, {type, false, ir::Max::kMany}, std::move(kids), std::move(text), number);
}
Node* ProgramMaker::Call(const std::string& name, const std::string& type, std::vector<Node*> kids, int64_t slot) {
  return New(Op::kCall, type, std::move(kids), name, slot);
}
Node* ProgramMaker::String(const std::string& text) { return module_->New(Op::kLiteral, {"System.String", true, ir::Max::kOne}, {}, text); }
Node* ProgramMaker::Integer(int64_t value) {
  return module_->New(Op::kLiteral, {"System.Integer", true, ir::Max::kOne}, {}, std::to_string(value));
}

Node* ProgramMaker::Variable_(Kind kind) {
  std::vector<const Variable*> fitting;
  for (const Variable& variable : scope_) {
    if (variable.kind == kind) {
      fitting.push_back(&variable);
    }
  }
  if (fitting.empty()) {
    return nullptr;
  }
  const char* types[] = {"v2.group.ORDER", "v2.segment.PID", "v2.CX", "v2.ST", "System.String", "System.Integer"};
  return New(Op::kVar, types[static_cast<size_t>(kind)], {}, {}, fitting[Below(static_cast<unsigned>(fitting.size()))]->slot);
}

Node* ProgramMaker::Collection(Kind kind, int depth) {
  if (Below(3) == 0) {
    if (Node* variable = Variable_(kind)) {
      return variable;
    }
  }
  Node* made = nullptr;
  switch (kind) {
    case Kind::kGroup: made = Groups(depth); break;
    case Kind::kSegment: made = Segments(depth); break;
    case Kind::kField: made = Fields(depth); break;
    case Kind::kComponent: made = Components(depth); break;
    case Kind::kString: return Strings(depth);
    case Kind::kInteger: return Integers(depth);
  }
  return depth > 0 && Below(3) == 0 ? Reshaped(made, kind, depth - 1) : made;
}

Node* ProgramMaker::Reshaped(Node* input, Kind kind, int depth) {
  const std::string type = input->type.name;
  switch (Below(9)) {
    case 0: return Call("first", type, {input});
    case 1: return Call("last", type, {input});
    case 2: return Call("tail", type, {input});
    case 3: return Call(Below(2) == 0 ? "skip" : "take", type, {input, Integer(Below(3))});
    case 4: return New(Op::kIndex, type, {input, Integer(Below(3))});
    case 5: {
      int64_t slot = NewSlots();
      Node* test = With(kind, slot, [&] { return With(Kind::kInteger, slot + 1, [&] { return Condition(depth); }); });
      return Call("where", type, {input, test}, slot);
    }
    case 6: return Call(Below(2) == 0 ? "combine" : "union", type, {input, Collection(kind, depth)});
    case 7: {
      Node* test = Condition(depth);
      Node* other = Collection(kind, depth);
      return Call("iif", type, {New(Op::kMessage, "v2.message", {}), test, input, other}, NewSlots());
    }
    default: return Call(Below(4) == 0 ? "single" : "first", type, {input});
  }
}

Node* ProgramMaker::Groups(int depth) {
  Node* input = depth > 0 && Below(2) == 0 ? Collection(Kind::kGroup, depth - 1) : New(Op::kMessage, "v2.message", {});
  std::string name = Of(kGroups);
  return New(Op::kGroups, "v2.group." + name, {input}, name);
}
Node* ProgramMaker::Segments(int depth) {
  Node* input = depth > 0 && Below(3) == 0 ? Collection(Kind::kGroup, depth - 1) : New(Op::kMessage, "v2.message", {});
  std::string id = Of(kSegments);
  return New(Op::kSegments, "v2.segment." + id, {input}, id);
}
Node* ProgramMaker::Fields(int depth) {
  Node* field = New(Op::kField, Of(kFieldTypes), {Collection(Kind::kSegment, depth - 1)}, {}, Below(12) == 0 ? 30 : 1 + Below(9));
  return Below(5) == 0 ? New(Op::kRepetition, field->type.name, {field}, {}, 1 + Below(3)) : field;
}
Node* ProgramMaker::Components(int depth) {
  Node* component = New(Op::kComponent, Of(kFieldTypes), {Collection(Kind::kField, depth - 1)}, {}, 1 + Below(5));
  return Below(4) == 0 ? New(Op::kSubcomponent, "v2.ST", {component}, {}, 1 + Below(3)) : component;
}

Node* ProgramMaker::Strings(int depth) {
  const std::string type = "System.String";
  if (depth <= 0) {
    return Below(3) == 0 ? New(Op::kEvent, type, {}) : String(Of(kTexts));
  }
  auto one = [&] { return Below(4) == 0 ? Strings(depth - 1) : Call("first", type, {Strings(depth - 1)}); };
  if (full_ && Below(4) == 0) {
    return FullString(depth);
  }
  switch (Below(14)) {
    case 0: return New(Op::kLookup, type, {one()}, Below(2) == 0 ? "kept" : "mapped", Below(3));
    case 1: return New(Op::kAuthority, type, {Collection(Below(2) == 0 ? Kind::kField : Kind::kComponent, depth - 1)});
    case 2: return Call(Of({"upper", "lower", "trim", "uriEscape"}), type, {one()});
    case 3: {
      std::vector<Node*> kids = {one(), Integers(depth - 1)};
      if (Below(2) == 0) {
        kids.push_back(Integer(Below(4)));
      }
      return Call("substring", type, kids);
    }
    case 4: return New(Op::kBinary, type, {one(), one()}, Of({"&", "+", "|"}));
    case 5: return Call(Of({"exclude", "intersect", "union", "combine"}), type, {Strings(depth - 1), Strings(depth - 1)});
    case 6: return Call("distinct", type, {Strings(depth - 1)});
    case 7: {
      int64_t slot = NewSlots();
      Node* input = Collection(Kind::kField, depth - 1);
      return Call("select", type, {input, With(Kind::kField, slot, [&] { return Strings(depth - 1); })}, slot);
    }
    case 8: return Reshaped(Strings(depth - 1), Kind::kString, depth - 1);
    default: return New(Op::kText, type, {Collection(Below(2) == 0 ? Kind::kField : Kind::kComponent, depth - 1)});
  }
}

Node* ProgramMaker::Integers(int depth) {
  const std::string type = "System.Integer";
  Node* variable = Below(3) == 0 ? Variable_(Kind::kInteger) : nullptr;
  if (variable != nullptr || depth <= 0) {
    return variable != nullptr ? variable : Integer(Below(2) == 0 ? Below(4) : 2147483647 - Below(3));
  }
  switch (Below(4)) {
    case 0: return Call("count", type, {Collection(static_cast<Kind>(Below(5)), depth - 1)});
    case 1: return Call("length", type, {Call("first", "System.String", {Strings(depth - 1)})});
    case 2: return Call(Below(2) == 0 ? "indexOf" : "lastIndexOf", type, {Call("first", "System.String", {Strings(depth - 1)}), String(Of(kTexts))});
    default: return New(Op::kBinary, type, {Integers(depth - 1), Integers(depth - 1)}, Of({"+", "-", "*"}));
  }
}

Node* ProgramMaker::Condition(int depth) {
  const std::string type = "System.Boolean";
  auto text = [&] { return Below(5) == 0 ? Strings(depth - 1) : Call("first", "System.String", {Strings(depth - 1)}); };
  if (depth <= 0) {
    return New(Op::kBinary, type, {New(Op::kEvent, "System.String", {}), String(Of(kTexts))}, "=");
  }
  if (full_ && Below(4) == 0) {
    return FullCondition(depth);
  }
  switch (Below(12)) {
    case 0: return Call(Below(2) == 0 ? "exists" : "empty", type, {Collection(static_cast<Kind>(Below(5)), depth - 1)});
    case 1: return Call("not", type, {Condition(depth - 1)});
    case 2: return New(Op::kBinary, type, {Condition(depth - 1), Condition(depth - 1)}, Of(kLogic));
    case 3: return New(Op::kIsNull, type, {Below(2) == 0 ? Fields(depth - 1) : Components(depth - 1)});
    case 4: return New(Op::kFits, type, {text()}, Of(kPrimitives));
    case 5: return New(Op::kOrdered, type, {text(), text()}, Below(2) == 0 ? "dateTime" : "decimal");
    case 6: return Call(Of({"startsWith", "endsWith", "contains"}), type, {text(), String(Of(kTexts))});
    case 7: {
      int64_t slot = NewSlots();
      Kind kind = static_cast<Kind>(Below(5));
      Node* input = Collection(kind, depth - 1);
      return Call(Below(2) == 0 ? "all" : "exists", type, {input, With(kind, slot, [&] { return Condition(depth - 1); })}, slot);
    }
    case 8: return New(Op::kBinary, type, {Integers(depth - 1), Integers(depth - 1)}, Of(kComparisons));
    case 9: return Call(Below(2) == 0 ? "hasValue" : "isDistinct", type, {Strings(depth - 1)});
    default: return New(Op::kBinary, type, {text(), text()}, Of(kComparisons));
  }
}

// What only maps with more of FHIRPath have: dates, decimals, quantities and the functions of text that others do without.
Node* ProgramMaker::FullValue(int depth, std::string* type) {
  auto text = [&] { return Call("first", "System.String", {Strings(depth - 1)}); };
  switch (Below(5)) {
    case 0: {
      *type = Of({"Date", "DateTime", "Time"});
      return Call("to" + *type, "System." + *type, {text()});
    }
    case 1: {
      *type = Of({"Date", "DateTime"});
      std::string full = "System." + *type;
      Node* amount = New(Op::kLiteral, "System.Quantity", {}, Of({"1 day", "2 weeks", "1 year", "3 months"}));
      return New(Op::kBinary, full, {Call("to" + *type, full, {text()}), amount}, Of({"+", "-"}));
    }
    case 2:
      *type = "Decimal";
      return New(Op::kBinary, "System.Decimal", {Integers(depth - 1), New(Op::kLiteral, "System.Decimal", {}, Of({"0.5", "3.0", "1.25"}))}, Of({"+", "*", "/"}));
    case 3:
      *type = "Decimal";
      return Call("toDecimal", "System.Decimal", {text()});
    default:
      *type = "Integer";
      return New(Op::kBinary, "System.Integer", {Integers(depth - 1), Integer(1 + Below(3))}, Of({"div", "mod"}));
  }
}
Node* ProgramMaker::FullString(int depth) {
  const std::string type = "System.String";
  auto text = [&] { return Call("first", type, {Strings(depth - 1)}); };
  std::string kind;
  switch (Below(5)) {
    case 0: return Call("replace", type, {text(), String(Of(kTexts)), String(Of({"", "-", "xy"}))});
    case 1: return Call("split", type, {text(), String(Of({"1", "", "&", " "}))});
    case 2: return Call("join", type, {Strings(depth - 1), String(Of({",", ""}))});
    case 3: return Call("replaceMatches", type, {text(), String(Of({"[0-9]+", "^.", "(a|b)(.)?"})), String(Of({"#", "", "<$0>"}))});
    default: return Call("toString", type, {FullValue(depth, &kind)});
  }
}
Node* ProgramMaker::FullCondition(int depth) {
  const std::string type = "System.Boolean";
  auto text = [&] { return Call("first", "System.String", {Strings(depth - 1)}); };
  std::string kind, other;
  switch (Below(4)) {
    case 0: return Call(Of({"matches", "matchesFull"}), type, {text(), String(Of({"[0-9]+", "^[A-Z]", "\\w{2,3}$"}))});
    case 1: return Call(Of({"convertsToDate", "convertsToDecimal", "convertsToInteger", "convertsToQuantity", "convertsToBoolean"}), type, {text()});
    case 2: {
      Node* value = FullValue(depth, &kind);
      return New(Op::kIs, type, {value}, "System." + kind);
    }
    default: {
      Node *left = FullValue(depth, &kind), *right = FullValue(depth, &other);
      return New(Op::kBinary, type, {left, right}, Of({"=", "!=", "~", "<", ">="}));
    }
  }
}

Node* ProgramMaker::Id(int depth) {
  std::vector<Node*> parts;
  for (unsigned k = 1 + Below(2); k-- > 0;) {
    parts.push_back(Call("first", "System.String", {Strings(depth)}));
  }
  if (Below(2) == 0) {  // an id that most messages have
    parts = {Call("first", "System.String", {New(Op::kText, "System.String",
             {New(Op::kField, "v2.CX", {New(Op::kSegments, "v2.segment.PID", {New(Op::kMessage, "v2.message", {})}, "PID")}, {}, 3)})})};
  }
  if (Below(3) != 0) {
    return New(Op::kKey, "System.String", parts, Below(2) == 0 ? "Patient/mrn" : "Encounter/visit");
  }
  parts.insert(parts.begin(), Id(depth));
  return New(Op::kKey, "System.String", parts, "Observation/within", 1);
}

Node* ProgramMaker::Object(int depth) {
  std::vector<Node*> members;
  for (unsigned k = 1 + Below(5); k-- > 0;) {
    members.push_back(New(Op::kMember, "emit", {Emission(depth - 1)}, "m" + std::to_string(k)));
  }
  return New(Op::kObject, "emit", members);
}

Node* ProgramMaker::Let(int depth, bool effect) {
  int64_t slot = NewSlots();
  Kind kind = static_cast<Kind>(Below(5));
  Node* value = Collection(kind, 2);
  Node* body = With(kind, slot, [&] { return effect ? Effect(depth - 1) : Emission(depth - 1); });
  return New(Op::kLet, "emit", {value, body}, {}, slot);
}

Node* ProgramMaker::Emission(int depth) {
  const std::string type = "emit";
  switch (depth <= 0 ? 9 : Below(13)) {
    case 0:
    case 1: return Object(depth);
    case 2: {
      int64_t slot = NewSlots();
      Kind kind = static_cast<Kind>(Below(5));
      Node* over = Collection(kind, 2);
      return New(Op::kArray, type, {New(Op::kEach, type, {over, With(kind, slot, [&] { return Emission(depth - 1); })}, {}, slot)});
    }
    case 3: return New(Op::kArray, type, {Emission(depth - 1), Emission(depth - 1)});
    case 4: return New(Op::kWhen, type, {Condition(2), Emission(depth - 1)});
    case 5: return New(Op::kFirst, type, {Emission(depth - 1), Emission(depth - 1)});
    case 6: return Let(depth, /*effect=*/false);
    case 7: return New(Op::kReference, type, {Id(1)}, "Patient");
    case 8: return New(Op::kCount, type, {Emission(depth - 1)}, Of({"degraded", "omitted", "profile_dropped"}));
    case 9: return New(Op::kJson, type, {}, Of({"true", "\"x\"", "{\"a\":[1]}"}));
    case 10:
      if (calls_) {
        return New(Op::kEmitCall, type, {Call("first", "v2.CX", {Collection(Kind::kField, 2)})}, "identifier");
      }
      [[fallthrough]];
    default: {
      std::string kind;
      Node* value = full_ && Below(3) == 0 ? FullValue(2, &kind) : Below(5) == 0 ? Condition(2) : Below(5) == 0 ? Integers(2) : Strings(3);
      return New(Op::kPrimitive, type, {Below(8) == 0 ? value : Call("first", value->type.name, {value})}, Of(kPrimitives), Below(8) == 0 ? Site() : 0);
    }
  }
}

Node* ProgramMaker::Effect(int depth) {
  const std::string type = "emit";
  switch (depth <= 0 ? 6 + Below(4) : Below(10)) {
    case 0:
    case 1: return New(Op::kSequence, type, {Effect(depth - 1), Effect(depth - 1), Effect(depth - 1)});
    case 2: return New(Op::kWhen, type, {Condition(3), Effect(depth - 1)});
    case 3: {
      int64_t slot = NewSlots();
      Kind kind = static_cast<Kind>(Below(4));
      Node* over = Collection(kind, 2);
      return New(Op::kEach, type, {over, With(kind, slot, [&] { return Effect(depth - 1); })}, {}, slot);
    }
    case 4: return Let(depth, /*effect=*/true);
    case 5:
      return Below(3) != 0   ? New(Op::kRequire, type, {New(Op::kBinary, "System.Boolean", {Condition(2), Condition(1)}, "or")}, {}, Site())
             : Below(4) != 0 ? New(Op::kWhen, type, {Condition(3), New(Op::kReject, type, {}, {}, Site())})
                             : New(Op::kReject, type, {}, {}, Site());
    case 6: return New(Op::kRetract, type, {Id(2), Strings(1)}, "Encounter", 1);
    case 7: return New(Op::kAlias, type, {Id(2), Id(2)}, "Patient");
    default:
      return New(Op::kContribute, type, {Id(2), New(Op::kEvent, "System.String", {}), Object(4)},
                 Of({"patch Patient", "put Patient", "fill Patient"}), 0);
  }
}

void ProgramMaker::AddTables() {
  ir::Module& m = *module_;
  m.package = "fuzz";
  m.edition = "1";
  m.semantic_digest = "d";
  m.zones.push_back({"America/New_York", {{-5000000000, -18000}, {1678604400, -14400}, {1699164000, -18000}, {1710054000, -14400}}});
  m.sites = {{"schema", "value", "a", true, {}}, {"schema", "value", "b", false, {}}, {"terminology", "code", "c", false, {}}};
  m.authorities = {{"unknown", "urn:weir:unknown:", {}}, {"east", "urn:oid:2.16", {"EAST", "HOSP"}}};
  m.maps = {{"patient", "Patient"}, {"encounter", "Encounter"}};
  ir::Table kept, mapped;
  kept.name = "kept";
  kept.target_system = "http://t";
  kept.rows = {{"A01", "x", "X", ""}, {"F", "female", "", ""}, {"M", "male", "Male", "http://u"}};
  kept.otherwise = ir::Table::Else::kOriginal;
  mapped.name = "mapped";
  mapped.rows = {{"EAST", "e", "", ""}, {"L", "official", "", ""}};
  mapped.otherwise = ir::Table::Else::kValue;
  mapped.otherwise_row = {"", "usual", "Usual", ""};
  m.tables = {kept, mapped};
}

void ProgramMaker::AddStructures() {
  auto segment = [&](const std::string& id) { return ir::StructureItem{id, false, Below(3) == 0, {}}; };
  auto group = [&](const std::string& name, std::vector<ir::StructureItem> items) { return ir::StructureItem{name, true, Below(3) != 0, std::move(items)}; };
  std::vector<ir::StructureItem> observation = {segment("OBX"), segment("NTE")};
  std::vector<ir::StructureItem> order = {segment("ORC"), segment("OBR"), segment("NTE"), group("OBSERVATION", observation)};
  std::vector<ir::StructureItem> patient = {segment("PID"), segment("NK1"), group("VISIT", {segment("PV1"), segment("NTE")})};
  ir::Structure flat{"ORU_R01", {"ORU^R01", "ADT^A08"}, {segment("MSH"), segment("EVN"), group("PATIENT", patient), group("ORDER", order), segment("NTE")}};
  std::vector<ir::StructureItem> inner = patient;
  inner.push_back(group("ORDER", order));
  ir::Structure nested{"ADT_A01", {"ADT^A01"}, {segment("MSH"), segment("EVN"), group("NEXT", inner)}};
  module_->structures = {flat, nested};
}

std::unique_ptr<ir::Module> ProgramMaker::Make() {
  auto module = std::make_unique<ir::Module>();
  module_ = module.get();
  AddTables();
  AddStructures();
  full_ = Below(3) == 0;
  slots_ = 3;
  calls_ = false;
  ir::Function identifier{"identifier", {{"x", 0, {"v2.CX", true, ir::Max::kOne}}}, {"emit", false, ir::Max::kMany}, nullptr, 0};
  identifier.body = With(Kind::kField, 0, [&] { return Object(3); });
  identifier.slot_count = slots_;
  module_->functions.push_back(identifier);
  calls_ = true;
  slots_ = 0;
  ir::Feed feed;
  feed.name = "fuzz";
  feed.version = "1";
  feed.accept = {"ADT^*", "ORU^R01"};
  feed.content_except = {"MSH-7"};
  feed.zone = Below(4) == 0 ? -1 : 0;
  feed.route = Below(3) == 0 ? Condition(3) : nullptr;
  feed.suppress = Below(4) == 0 ? Condition(3) : nullptr;
  feed.duplicate_key = {Strings(2), Strings(2)};
  feed.order_by = {Strings(2), Strings(2)};
  feed.transform = New(Op::kSequence, "emit", {Effect(4), Effect(4), Effect(3)});
  feed.slot_count = slots_;
  module_->feeds.push_back(std::move(feed));
  return module;
}

}  // namespace weir::engines
