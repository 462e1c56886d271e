#include "compiler/check/v2_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/check/declarations.h"

namespace weir::check {
namespace {

using fhir::V2Item;
using ir::Max;
using ir::Node;
using ir::Op;

// Where a segment or group stands in the accepted structures.
struct Place {
  bool found = false;
  bool many = false;      // in some structure more than one is possible
  bool required = true;   // in every structure at least one must be there
};

void Count(const std::vector<V2Item>& items, std::string_view name, bool group, bool repeated, bool optional, int* seen, bool* many,
           bool* sure) {
  for (const auto& item : items) {
    bool repeats = repeated || item.repeats();
    bool maybe = optional || item.min == 0;
    if (item.name == name && item.group == group) {
      ++*seen;
      *many = *many || repeats;
      *sure = *sure || !maybe;
    }
    if (item.group) {
      Count(item.items, name, group, repeats, maybe, seen, many, sure);
    }
  }
}

const V2Item* FindGroup(const std::vector<V2Item>& items, std::string_view name) {
  for (const auto& item : items) {
    if (item.group) {
      if (item.name == name) {
        return &item;
      }
      if (const V2Item* found = FindGroup(item.items, name)) {
        return found;
      }
    }
  }
  return nullptr;
}

// Of the whole message, or of one instance of the group `within`.
Place FindPlace(const ExprContext& c, const MessageShape& shape, std::string_view name, bool group, std::string_view within = {}) {
  Place place;
  for (const auto& structure : shape.structures) {
    for (const auto& version : shape.versions) {
      const auto* items = c.v2.Structure(version, structure);
      if (items != nullptr && !within.empty()) {
        const V2Item* inside = FindGroup(*items, within);
        items = inside == nullptr ? nullptr : &inside->items;
      }
      if (items == nullptr) {
        continue;
      }
      int seen = 0;
      bool many = false;
      bool sure = false;
      Count(*items, name, group, false, false, &seen, &many, &sure);
      place.found = place.found || seen > 0;
      place.many = place.many || many || seen > 1;
      place.required = place.required && sure;
    }
  }
  place.required = place.required && place.found;
  return place;
}

std::vector<std::string> AllSegments(const ExprContext& c, const MessageShape& shape) {
  std::vector<std::string> names;
  auto walk = [&](auto&& self, const std::vector<V2Item>& items) -> void {
    for (const auto& item : items) {
      item.group ? self(self, item.items) : names.push_back(item.name);
    }
  };
  for (const auto& structure : shape.structures) {
    if (const auto* items = shape.versions.empty() ? nullptr : c.v2.Structure(shape.versions.front(), structure)) {
      walk(walk, *items);
    }
  }
  return names;
}

std::vector<std::string> AllGroups(const ExprContext& c, const MessageShape& shape) {
  std::vector<std::string> names;
  auto walk = [&](auto&& self, const std::vector<V2Item>& items) -> void {
    for (const auto& item : items) {
      if (item.group) {
        if (std::find(names.begin(), names.end(), item.name) == names.end()) {
          names.push_back(item.name);
        }
        self(self, item.items);
      }
    }
  };
  for (const auto& structure : shape.structures) {
    if (const auto* items = shape.versions.empty() ? nullptr : c.v2.Structure(shape.versions.front(), structure)) {
      walk(walk, *items);
    }
  }
  return names;
}

Node* Segment(const ExprContext& c, Scope& scope, std::string_view id, Span span, Node* base) {
  std::string type = "v2.segment." + std::string(id);
  if (base == nullptr) {
    for (auto bound = scope.segments.rbegin(); bound != scope.segments.rend(); ++bound) {
      if (bound->name == id) {
        return c.module.New(Op::kVar, bound->type, {}, "", bound->slot, span);
      }
    }
  }
  Place place = FindPlace(c, *scope.shape, id, false);
  bool declared = scope.shape->declared.contains(id);
  if (!place.found && !declared) {
    if (!c.v2.IsSegment(id)) {
      std::string near = Nearest(id, AllSegments(c, *scope.shape));
      c.sink.Report(DiagnosticKind::kUnknownSegment, span, fmt::format("HL7 v2 has no segment `{}`", id),
                    near.empty() ? "a local segment is declared in the feed: `segment ZPV after PV1 optional { … }`"
                                 : fmt::format("did you mean `{}`?", near));
    } else {
      c.sink.Report(DiagnosticKind::kUnreachable, span, fmt::format("no message that the feed accepts has the segment `{}`", id),
                    "the feed's `accept` lists the messages");
    }
    return nullptr;
  }
  bool many = declared ? scope.shape->declared.find(id)->second.repeats : place.many;
  bool required = place.required && !declared;
  Node* input = base;
  if (base != nullptr && base->type.name.starts_with("v2.group.")) {
    place = FindPlace(c, *scope.shape, id, false, base->type.name.substr(9));
    many = place.many || base->type.max == Max::kMany;
    required = place.required && base->type.required;
  }
  // The innermost bound group that holds it, else the message.
  for (auto bound = scope.groups.rbegin(); input == nullptr && bound != scope.groups.rend(); ++bound) {
    if (Place inside = FindPlace(c, *scope.shape, id, false, bound->name); inside.found) {
      input = c.module.New(Op::kVar, bound->type, {}, "", bound->slot, span);
      many = inside.many;
      required = inside.required;
    }
  }
  if (input == nullptr) {
    input = c.module.New(Op::kMessage, Of("v2.message", true, Max::kOne), {}, "", 0, span);
  }
  return c.module.New(Op::kSegments, Of(type, required, many ? Max::kMany : Max::kOne), {input}, std::string(id), 0, span);
}

// The field by the rule of the file comment; reports when no accepted version has it.
const fhir::V2Field* FindField(const ExprContext& c, const Scope& scope, const std::string& segment, uint32_t number, std::string_view name,
                               Span span, bool* repeats, bool* required) {
  const fhir::V2Field* best = nullptr;
  auto matches = [&](const fhir::V2Field& field) { return name.empty() ? field.position == number : field.name == name; };
  if (auto declared = scope.shape->declared.find(segment); declared != scope.shape->declared.end()) {
    for (const auto& field : declared->second.fields) {
      if (matches(field)) {
        *repeats = field.repeats();
        *required = false;
        return &field;
      }
    }
    std::string known;
    for (const auto& field : declared->second.fields) {
      known += fmt::format("{}`{}-{}` {}", known.empty() ? "" : ", ", segment, field.position, field.name);
    }
    c.sink.Report(DiagnosticKind::kUnknownField, span,
                  name.empty() ? fmt::format("the feed declares no field {} of `{}`", number, segment)
                               : fmt::format("the feed declares no field `{}` of `{}`", name, segment),
                  fmt::format("it declares {}", known));
    return nullptr;
  }
  *required = true;
  for (const auto& version : scope.shape->versions) {
    const auto* fields = c.v2.Segment(version, segment);
    if (fields == nullptr) {
      continue;
    }
    for (const auto& field : *fields) {
      if (matches(field) && !field.withdrawn()) {
        best = best == nullptr ? &field : best;
        *repeats = *repeats || field.repeats();
        *required = *required && field.min > 0;
      }
    }
  }
  if (best != nullptr) {
    return best;
  }
  std::string elsewhere;
  uint32_t last = 0;
  std::vector<std::string> names;
  for (const auto& version : fhir::V2Table::Versions()) {
    if (const auto* fields = c.v2.Segment(version, segment)) {
      for (const auto& field : *fields) {
        last = std::max(last, field.position);
        names.push_back(field.name);
        if (matches(field) && !field.withdrawn()) {
          elsewhere += (elsewhere.empty() ? "" : ", ") + version;
        }
      }
    }
  }
  std::string what = name.empty() ? fmt::format("`{}-{}`", segment, number) : fmt::format("`{}.{}`", segment, name);
  if (!elsewhere.empty()) {
    c.sink.Report(DiagnosticKind::kOtherVersion, span,
                  fmt::format("{} is a field of version {}, and the feed accepts {}", what, elsewhere,
                              scope.shape->versions.size() == 1 ? scope.shape->versions.front()
                                                                : fmt::format("{} to {}", scope.shape->versions.back(), scope.shape->versions.front())),
                  fmt::format("read a field of an accepted version, or add {} to the feed's `versions`", elsewhere.substr(0, elsewhere.find(','))));
  } else {
    std::string near = name.empty() ? "" : Nearest(name, names);
    c.sink.Report(DiagnosticKind::kUnknownField, span, fmt::format("the segment `{}` has no field {}", segment, name.empty() ? std::to_string(number) : fmt::format("`{}`", name)),
                  !near.empty()  ? fmt::format("did you mean `{}`?", near)
                  : name.empty() ? fmt::format("its last one is `{}-{}`", segment, last)
                                 : "");
  }
  return nullptr;
}

Node* FieldOf(const ExprContext& c, Scope& scope, Node* segment, const std::string& id, uint32_t number, std::string_view name, Span span,
              Span caret) {
  bool repeats = false;
  bool required = false;
  const auto* field = FindField(c, scope, id, number, name, caret, &repeats, &required);
  if (field == nullptr) {
    return nullptr;
  }
  bool many = repeats || segment->type.max == Max::kMany;
  // A sender may leave any field out, whatever the standard says: nothing is provably there but by `require`.
  return c.module.New(Op::kField, Of("v2." + field->type, false, many ? Max::kMany : Max::kOne), {segment}, "", field->position, span);
}

Node* ComponentOf(const ExprContext& c, const Scope& scope, Node* input, uint32_t number, std::string_view name, Span span, Span caret) {
  std::string type = input->type.name.substr(3);
  const fhir::V2Component* found = nullptr;
  std::vector<std::string> names;
  bool known = false;
  uint32_t last = 0;
  auto search = [&](const std::vector<std::string>& versions) {
    for (const auto& version : versions) {
      const auto* components = c.v2.DataType(version, type);
      if (components == nullptr) {
        continue;
      }
      known = true;
      for (const auto& component : *components) {
        names.push_back(component.name);
        last = std::max(last, component.position);
        if (found == nullptr && component.type != "WD" && (name.empty() ? component.position == number : component.name == name)) {
          found = &component;
        }
      }
    }
  };
  search(scope.shape->versions);
  if (found == nullptr) {
    search(fhir::V2Table::Versions());
  }
  if (!known || (found == nullptr && type == "varies")) {  // a primitive sent as a composite, or OBX-5
    if (!name.empty()) {
      c.sink.Report(DiagnosticKind::kUnknownComponent, caret, fmt::format("HL7 `{}` has no named components", type),
                    "components are counted, as in `.1`");
      return nullptr;
    }
    return c.module.New(Op::kComponent, Of("v2.ST", false, input->type.max), {input}, "", number, span);
  }
  if (found == nullptr) {
    std::string near = name.empty() ? "" : Nearest(name, names);
    c.sink.Report(DiagnosticKind::kUnknownComponent, caret,
                  fmt::format("HL7 `{}` has no component {}", type, name.empty() ? std::to_string(number) : fmt::format("`{}`", name)),
                  !near.empty()  ? fmt::format("did you mean `{}`?", near)
                  : name.empty() ? fmt::format("its last one is `.{}`", last)
                                 : "components may be counted, as in `.1`");
    return nullptr;
  }
  std::string component_type = found->type.empty() || found->type == "-" ? "ST" : found->type;
  return c.module.New(Op::kComponent, Of("v2." + component_type, false, input->type.max), {input}, "", found->position, span);
}

// The step alone, where it was written after something.
Span Caret(const ast::Expr& e) { return e.name_span.valid() ? e.name_span : e.span; }

}  // namespace

Node* V2Name(const ExprContext& c, Scope& scope, const ast::Expr& e) {
  const std::string& name = e.text;
  bool upper = name.size() >= 2 && std::all_of(name.begin(), name.end(), [](char ch) { return (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_'; });
  if (upper && name.size() == 3 && (c.v2.IsSegment(name) || scope.shape->declared.contains(name))) {
    return Segment(c, scope, name, e.span, nullptr);
  }
  if (upper) {
    for (auto bound = scope.groups.rbegin(); bound != scope.groups.rend(); ++bound) {
      if (bound->name == name) {
        return c.module.New(Op::kVar, bound->type, {}, "", bound->slot, e.span);
      }
    }
    Place place = FindPlace(c, *scope.shape, name, true);
    if (place.found) {
      Node* message = c.module.New(Op::kMessage, Of("v2.message", true, Max::kOne), {}, "", 0, e.span);
      return c.module.New(Op::kGroups, Of("v2.group." + name, place.required, place.many ? Max::kMany : Max::kOne), {message}, name, 0, e.span);
    }
    std::vector<std::string> groups = AllGroups(c, *scope.shape);
    std::string near = Nearest(name, groups);
    c.sink.Report(DiagnosticKind::kUnreachable, e.span, fmt::format("no message that the feed accepts has a segment or group `{}`", name),
                  !near.empty()    ? fmt::format("did you mean `{}`?", near)
                  : groups.empty() ? "the accepted messages have no groups"
                                   : fmt::format("groups of the accepted messages are `{}`", fmt::join(groups, "`, `")));
    return nullptr;
  }
  if (scope.this_slot >= 0 && scope.this_type.is_v2() && !scope.this_type.name.starts_with("v2.segment.") &&
      !scope.this_type.name.starts_with("v2.group.")) {
    Node* self = c.module.New(Op::kVar, scope.this_type, {}, "", scope.this_slot, e.span);
    return ComponentOf(c, scope, self, 0, name, e.span, e.span);
  }
  std::vector<std::string> names;
  for (const auto& variable : scope.variables) {
    names.push_back(variable.name);
  }
  if (c.declarations != nullptr) {
    for (const auto& keyspace : c.declarations->NamesOf(ast::DeclKind::kKeyspace)) {
      names.push_back(keyspace);
    }
  }
  std::string near = Nearest(name, names);
  c.sink.Report(DiagnosticKind::kUnknownName, e.span, fmt::format("nothing here is called `{}`", name),
                near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  return nullptr;
}

Node* V2Field(const ExprContext& c, Scope& scope, const ast::Expr& e, Node* base) {
  if (scope.shape == nullptr) {
    c.sink.Report(DiagnosticKind::kUnknownName, e.span, "an HL7 path has no meaning on a FHIR resource");
    return nullptr;
  }
  Span segment_span = e.span;
  segment_span.end = segment_span.begin + 3;
  if (base != nullptr && base->type.name.starts_with("v2.segment.")) {
    return FieldOf(c, scope, base, e.text, static_cast<uint32_t>(e.number), {}, e.span, e.span);
  }
  Node* segment = Segment(c, scope, e.text, base == nullptr ? segment_span : e.span, base);
  return segment == nullptr ? nullptr : FieldOf(c, scope, segment, e.text, static_cast<uint32_t>(e.number), {}, e.span, e.span);
}

Node* V2Step(const ExprContext& c, Scope& scope, const ast::Expr& e, Node* input) {
  auto number = static_cast<uint32_t>(e.number);
  if (input->type.name.starts_with("v2.segment.")) {
    return FieldOf(c, scope, input, input->type.name.substr(11), number, {}, e.span, Caret(e));
  }
  if (!input->type.is_v2() || input->type.name.starts_with("v2.group.") || input->type.name == "v2.message") {
    c.sink.Report(DiagnosticKind::kUnknownComponent, Caret(e), fmt::format("`.{}` counts fields and components, this is {}", number, TypeWords(input->type)),
                  "name a field first, as in `PID-3`");
    return nullptr;
  }
  return ComponentOf(c, scope, input, number, {}, e.span, Caret(e));
}

Node* V2Repetition(const ExprContext& c, const ast::Expr& e, Node* input) {
  if (input->op != Op::kField || input->type.max == Max::kZero) {
    c.sink.Report(DiagnosticKind::kUnknownName, e.span, "`#n` counts the repetitions of a field");
    return nullptr;
  }
  bool one = input->kids[0]->type.max != Max::kMany;
  return c.module.New(Op::kRepetition, Of(input->type.name, false, one ? Max::kOne : Max::kMany), {input}, "", e.number, e.span);
}

Node* V2Member(const ExprContext& c, Scope& scope, const ast::Expr& e, Node* input) {
  const std::string& type = input->type.name;
  if (type.starts_with("v2.group.")) {
    bool group = FindPlace(c, *scope.shape, e.text, true).found && e.text.size() != 3;
    if (group) {
      return c.module.New(Op::kGroups, Of("v2.group." + e.text, false, Max::kMany), {input}, e.text, 0, e.span);
    }
    return Segment(c, scope, e.text, Caret(e), input);
  }
  if (type.starts_with("v2.segment.")) {
    return FieldOf(c, scope, input, type.substr(11), 0, e.text, e.span, Caret(e));
  }
  return ComponentOf(c, scope, input, 0, e.text, e.span, Caret(e));
}

Node* V2Criterion(const ExprContext& c, Scope& scope, const ast::Expr& e, Node* input) {
  if (!input->type.is_v2()) {
    c.sink.Report(DiagnosticKind::kTypeMismatch, e.span, fmt::format("`{}` picks among HL7 repetitions, this is {}", e.text, TypeWords(input->type)));
    return nullptr;
  }
  Node* self = c.module.New(Op::kVar, scope.this_type, {}, "", scope.this_slot, e.span);
  // Where CX, XCN and XON keep them.
  std::string type = input->type.name.substr(3);
  uint32_t authority = type == "XCN" ? 9 : type == "XON" ? 6 : 4;
  uint32_t kind = type == "XCN" ? 13 : type == "XON" ? 7 : 5;
  Node* left = nullptr;
  std::string wanted = e.value;
  if (e.text == "authority") {
    const auto* declared = c.declarations == nullptr ? nullptr : c.declarations->Authority(e.value);
    if (declared == nullptr) {
      std::string near = c.declarations == nullptr ? "" : Nearest(e.value, c.declarations->NamesOf(ast::DeclKind::kAuthority));
      c.sink.Report(DiagnosticKind::kUnknownDeclaration, e.name_span, fmt::format("no authority `{}` is declared", e.value),
                    near.empty() ? fmt::format("declare it: `authority {} = \"urn:oid:…\" from 'NAMESPACE'`", e.value)
                                 : fmt::format("did you mean `{}`?", near));
      return nullptr;
    }
    wanted = declared->uri.text;
    Node* hd = ComponentOf(c, scope, self, authority, {}, e.span, e.span);
    left = hd == nullptr ? nullptr : c.module.New(Op::kAuthority, Of("System.String", false, Max::kOne), {hd}, "", 0, e.span);
  } else {
    left = ComponentOf(c, scope, self, kind, {}, e.span, e.span);
    left = left == nullptr ? nullptr : AsText(c, left);
  }
  if (left == nullptr) {
    return nullptr;
  }
  return c.module.New(Op::kBinary, Of("System.Boolean", false, Max::kOne), {left, TextLiteral(c, wanted)}, "=", 0, e.span);
}

}  // namespace weir::check
