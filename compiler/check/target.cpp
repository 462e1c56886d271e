// The target side: lines grouped into the elements of one object, in StructureDefinition order, each checked for
// existence, cardinality, single writer and required children.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "compiler/check/generator.h"

namespace weir::check {

using ast::Line;
using ast::LineKind;
using ir::Node;
using ir::Op;

namespace {

struct Group {  // the lines of one element; for repeating elements, of one slice of it
  Resolved target;
  std::string key;
  std::vector<BoundLine> whole, deeper;
  std::vector<Span> spans;
  size_t ordinal = 0;  // as written
};

Span StepSpan(const BoundLine& bound) {
  return bound.step < bound.line->target.steps.size() ? bound.line->target.steps[bound.step].name.span : bound.line->span;
}

}  // namespace

bool Generator::ResolveExtension(const Place& place, const ast::TargetStep& step, Resolved* out) {
  auto found = c_.types->FindElement(place.content == "Extension" || c_.types->IsPrimitive(place.content) ? "Extension" : place.content,
                                     "extension");
  if (!found) {
    found = c_.types->FindElement("Element", "extension");
  }
  out->element = found.element;
  out->json = step.name.text;
  out->type = "Extension";
  out->many = true;
  out->shown = fmt::format("{}.{}({})", place.shown, step.name.text, step.slice.text);
  out->child = {.content = "Extension", .shown = out->shown};
  if (place.profile != nullptr) {  // a part of a complex extension
    const auto& elements = place.profile->elements;
    std::string path = elements[place.begin].path + ".extension";
    size_t end = place.end == 0 ? elements.size() : place.end;
    std::vector<std::string> names;
    for (size_t i = place.begin; i < end; ++i) {
      if (elements[i].path != path || elements[i].slice.empty()) {
        continue;
      }
      names.push_back(elements[i].slice);
      if (elements[i].slice == step.slice.text) {
        size_t stop = i + 1;
        while (stop < end && elements[stop].path.starts_with(path + ".")) {
          ++stop;
        }
        out->child.profile = place.profile;
        out->child.begin = i;
        out->child.end = stop;
        out->url = step.slice.text;
        return true;
      }
    }
    std::string near = Nearest(step.slice.text, names);
    Error(DiagnosticKind::kUnknownElement, step.slice.span, fmt::format("`{}` has no part `{}`", place.shown, step.slice.text),
          near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    return false;
  }
  const fhir::TypeDef* profile = c_.types->FindType(step.slice.text);
  if (profile == nullptr || profile->type != "Extension") {
    if (step.slice.text.find("://") != std::string::npos) {
      out->url = step.slice.text;
      return true;
    }
    std::string near = Nearest(step.slice.text, c_.types->TypeNames());
    Error(DiagnosticKind::kUnknownElement, step.slice.span, fmt::format("no extension `{}` in the packages used", step.slice.text),
          near.empty() ? "name it by its id or by its URL in double quotes" : fmt::format("did you mean `{}`?", near));
    return false;
  }
  out->child.profile = profile;
  out->child.begin = 0;
  out->child.end = profile->elements.size();
  out->url = profile->url;
  return true;
}

bool Generator::Resolve(const Place& place, const ast::TargetStep& step, Resolved* out) {
  const std::string& name = step.name.text;
  if ((name == "extension" || name == "modifierExtension") && !step.slice.empty()) {
    return ResolveExtension(place, step, out);
  }
  out->shown = place.shown + "." + name;
  if (place.profile != nullptr && name.starts_with("value")) {
    std::string path = place.profile->elements[place.begin].path + ".value[x]";
    for (size_t i = place.begin; i < place.end; ++i) {
      const fhir::Element& element = place.profile->elements[i];
      if (element.path == path && element.max > 0) {
        out->element = &element;
        for (const auto& type : element.types) {
          if (name == "value" || name == fhir::TypeTable::ChoiceName("value", type.code)) {
            out->options.push_back(type);
          }
        }
      }
    }
  }
  if (out->element == nullptr) {
    auto found = c_.types->FindElement(place.content, name);
    if (!found) {
      std::vector<std::string> names;
      for (const fhir::Element* child : c_.types->Children(place.content)) {
        if (child->choice) {
          for (const auto& type : child->types) {
            names.push_back(fhir::TypeTable::ChoiceName(child->name, type.code));
          }
        } else {
          names.push_back(child->name);
        }
      }
      std::string near = Nearest(name, names);
      Error(DiagnosticKind::kUnknownElement, step.name.span, fmt::format("`{}` has no element `{}`", place.shown, name),
            near.empty() ? fmt::format("it has {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}`?", near));
      return false;
    }
    out->element = found.element;
    out->child.content = c_.types->ContentPath(*found.element, *found.owner, found.chosen);
    if (found.chosen != nullptr) {
      out->options = {*found.chosen};
    } else {
      out->options = found.element->types;
    }
  }
  out->many = out->element->max > 1;
  out->child.shown = out->shown;
  if (out->options.size() == 1 || out->options.empty()) {
    out->type = out->options.empty() ? "BackboneElement" : out->options[0].code;
    out->json = out->element->choice ? fhir::TypeTable::ChoiceName(out->element->name, out->type) : name;
    if (out->child.content.empty() || out->element->choice) {
      out->child.content = out->type;
    }
    if (out->type.starts_with("http://hl7.org/fhirpath/")) {  // Element.id and the like
      out->type = "string";
    }
    out->primitive = c_.types->IsPrimitive(out->type);
  }
  return true;
}

Value Generator::ReferenceValue(const Line& line, const Resolved& target, Scope& scope) {
  const ast::MapDecl* map = c_.declarations.Map(line.name.text);
  if (map == nullptr) {
    std::string near = Nearest(line.name.text, c_.declarations.NamesOf(ast::DeclKind::kMap));
    Error(DiagnosticKind::kUnknownDeclaration, line.name.span, fmt::format("no map `{}` is declared", line.name.text),
          near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    return {};
  }
  const std::string& type = map->to.text;
  std::vector<std::string> allowed;
  bool reference = false;
  for (const auto& option : target.options) {
    if (option.code == "Reference") {
      reference = true;
      allowed.insert(allowed.end(), option.target_profiles.begin(), option.target_profiles.end());
    }
  }
  if (!reference) {
    Error(DiagnosticKind::kReferenceTarget, line.name.span, fmt::format("`{}` is `{}`, not a reference", target.shown, target.type),
          "write `:` and a value instead of `->`");
    return {};
  }
  bool fits = allowed.empty() || std::any_of(allowed.begin(), allowed.end(), [&](const std::string& a) {
    return a == type || a == "Resource" || c_.types->IsSubtype(type, a);
  });
  if (!fits) {
    std::string list;
    for (const auto& name : allowed) {
      list += (list.empty() ? "`" : ", `") + name + "`";
    }
    Error(DiagnosticKind::kReferenceTarget, line.name.span,
          fmt::format("`{}` refers to {}; `{}` makes `{}`", target.shown, list, line.name.text, type),
          fmt::format("refer to a map to {}", list));
    return {};
  }
  Scope inner = KeyScope(scope);
  Node* argument = nullptr;
  int64_t slot = -1;
  if (line.source != nullptr) {
    argument = CheckExpr(Context(), *line.source, scope);
    if (argument == nullptr) {
      return {};
    }
    if (!argument->type.single()) {
      Error(DiagnosticKind::kTooMany, line.source->span, "a reference is made of one value, this may repeat",
            "pick one with `.first()`, or write `each` around the object");
      return {};
    }
    slot = (*slots_)++;
    Bind(map->for_each.binding, argument, slot, inner);
  }
  Node* id = KeyOf(*map, Flatten(*map), inner);
  if (id == nullptr) {
    return {};
  }
  Node* present = Exists(id);
  if (argument != nullptr) {
    // An absent argument has no key, also when every part of the key has a declared alternative.
    id = New(Op::kLet, TextType(), {argument, New(Op::kCall, TextType(), {New(Op::kCall, BooleanType(), {Var(slot, Of(argument->type.name, false, ir::Max::kOne))}, "exists"), id, New(Op::kEmpty, TextType(), {})}, "iif", (*slots_))}, "", slot);
    id->kids[1]->kids.insert(id->kids[1]->kids.begin(), Var(slot, Of(argument->type.name, false, ir::Max::kOne)));
    *slots_ += 3;
    present = Exists(argument);
  }
  return {Emit(Op::kReference, {id}, type, 0, line.span), present, Proved(present)};
}

// The values one line writes to its element.
std::vector<Value> Generator::LineValues(const BoundLine& bound, const Resolved& target) {
  const Line& line = *bound.line;
  Scope& scope = *bound.scope;
  std::vector<Value> values;
  switch (line.kind) {
    case LineKind::kAssign:
      for (const auto& item : line.items) {
        values.push_back(ItemValue(item, target, scope, line.condition.get()));
      }
      break;
    case LineKind::kReference:
      values.push_back(ReferenceValue(line, target, scope));
      break;
    case LineKind::kObject:
    case LineKind::kEach: {
      if (target.primitive) {
        Error(DiagnosticKind::kElementType, StepSpan(bound), fmt::format("`{}` is `{}` and has no elements of its own", target.shown, target.type),
              "write a value");
        return {};
      }
      Scope inner = scope;
      Node* collection = nullptr;
      int64_t slot = -1;
      if (line.kind == LineKind::kEach) {
        collection = CheckExpr(Context(), *line.source, scope);
        if (collection == nullptr) {
          return {};
        }
        if (!target.many) {
          Error(DiagnosticKind::kTooMany, line.source->span, fmt::format("`{}` takes one value, `each` gives many", target.shown),
                "write the object without `each`, and pick one value with `.first()`");
          return {};
        }
        collection = Filter(collection, line.condition.get(), scope);
        if (collection == nullptr) {
          return {};
        }
        slot = (*slots_)++;
        Bind({}, collection, slot, inner);
      }
      std::vector<BoundLine> lines;
      Scope* kept = Keep(inner);
      for (const Line& child : line.lines) {
        lines.push_back({&child, kept, 0});
      }
      std::vector<Node*> members;
      Node* present = nullptr;
      Node* guard_of_kids = nullptr;
      if (!target.url.empty()) {
        members.push_back(Emit(Op::kMember, {Emit(Op::kJson, {}, JsonText(target.url))}, "url"));
      }
      Node* object = EmitObject(target.child, lines, members, &present, StepSpan(bound));
      guard_of_kids = present;
      Value value{object, guard_of_kids, present == nullptr};
      if (collection != nullptr) {
        value.node = Emit(Op::kEach, {collection, object}, "", slot);
        value.present = Exists(collection);
        value.always = collection->type.required;
        value.filtered = line.condition != nullptr;
      }
      values.push_back(value);
      break;
    }
    case LineKind::kLifecycle: {
      const ast::LifecycleDecl* lifecycle = c_.declarations.Lifecycle(line.name.text);
      if (lifecycle == nullptr) {
        break;
      }
      std::vector<Node*> alternatives;
      std::set<std::string> known;
      const fhir::Codes* codes = target.element->binding.required ? c_.types->FindValueSet(target.element->binding.value_set) : nullptr;
      for (const auto& row : lifecycle->rows) {
        std::set<std::string> events = Events(row.events);
        known.insert(events.begin(), events.end());
        if (row.undoes) {
          continue;
        }
        bool listed = codes == nullptr;
        for (const auto& [system, list] : codes == nullptr ? fhir::Codes{} : *codes) {
          listed = listed || std::find(list.begin(), list.end(), row.status.text) != list.end();
        }
        if (!listed) {
          Error(DiagnosticKind::kNotInBinding, row.status.span, fmt::format("`{}` is no code of `{}`", row.status.text, target.shown),
                fmt::format("the required value set is {}", target.element->binding.value_set));
        }
        alternatives.push_back(Emit(Op::kWhen, {EventIs(events), Emit(Op::kJson, {}, JsonText(row.status.text))}));
      }
      bool all = !line.items.empty() ||
                 std::all_of(feed_->events.begin(), feed_->events.end(), [&](const std::string& e) {
                   std::set<std::string> on = map_ == nullptr ? std::set<std::string>() : Events(map_->on);
                   return known.contains(e) || (!on.empty() && !on.contains(e));
                 });
      Node* value = Emit(Op::kFirst, std::move(alternatives), "", 0, line.span);
      values.push_back({value, all ? nullptr : EventIs(known), all, false, !line.items.empty()});
      break;
    }
    default:
      break;
  }
  std::erase_if(values, [](const Value& v) { return v.node == nullptr; });
  if (line.condition != nullptr && !std::all_of(values.begin(), values.end(), [](const Value& v) { return v.filtered; })) {
    Node* condition = CheckCondition(Context(), *line.condition, scope);
    if (condition == nullptr) {
      return {};
    }
    for (Value& value : values) {
      if (value.filtered) {
        continue;
      }
      Node* present = value.always ? nullptr : value.present;
      value.present = present == nullptr ? Clone(condition) : And(Clone(condition), present);
      value.always = false;
      value.node = Emit(Op::kWhen, {Clone(condition), value.node});
    }
  }
  return values;
}

// `code: DG1-3` beside `code.text: DG1-4`: the data type map's lines join the deeper ones, $this bound around them.
bool Generator::Inline(const BoundLine& bound, const Resolved& target, std::vector<BoundLine>* lines,
                       std::vector<std::pair<int64_t, Node*>>* lets) {
  const Line& line = *bound.line;
  if (line.condition != nullptr) {
    return false;
  }
  if (line.kind == LineKind::kObject) {
    for (const Line& child : line.lines) {
      lines->push_back({&child, bound.scope, 0});
    }
    return true;
  }
  if (line.kind != LineKind::kAssign || line.items.size() != 1 || line.items[0].alternatives.size() != 1) {
    return false;
  }
  const ast::Alternative& alternative = line.items[0].alternatives[0];
  if (alternative.expr == nullptr || alternative.each || !alternative.via_table.empty()) {
    return false;
  }
  Node* node = CheckExpr(Context(), *alternative.expr, *bound.scope);
  if (node == nullptr || !node->type.is_v2() || !node->type.single()) {
    return false;
  }
  const ast::MapDecl* map = alternative.using_map.empty() ? c_.declarations.PairMap(node->type.name.substr(3), target.type)
                                                          : c_.declarations.Map(alternative.using_map.text);
  if (map == nullptr) {
    return false;
  }
  int64_t slot = (*slots_)++;
  lets->emplace_back(slot, node);
  Scope inner = NewScope(bound.scope->shape);
  inner.this_type = Of(node->type.name, false, ir::Max::kOne);
  inner.this_slot = slot;
  Scope* kept = Keep(inner);
  for (const FlatLine& flat : Flatten(*map)) {
    lines->push_back({flat.line, kept, 0});
  }
  return true;
}

// The test that a top-level element's source field is HL7 null: a delete in a patch body.
Node* Generator::NullOf(const BoundLine& bound) {
  const Line& line = *bound.line;
  if (line.kind != LineKind::kAssign || line.condition != nullptr || line.items.size() != 1 || line.items[0].alternatives.empty() ||
      line.items[0].alternatives[0].expr == nullptr) {
    return nullptr;
  }
  const ast::Expr& expr = *line.items[0].alternatives[0].expr;
  if (expr.kind != ast::ExprKind::kV2Field) {
    return nullptr;
  }
  Node* node = CheckExpr(Context(), expr, *bound.scope);
  while (node != nullptr && node->op != Op::kField && !node->kids.empty()) {
    node = node->kids[0];
  }
  return node == nullptr || node->op != Op::kField ? nullptr : New(Op::kIsNull, BooleanType(), {node});
}

// `written`: the elements that some line writes, and where.
void Generator::CheckRequired(const Place& place, const Node* object, const std::map<std::string, WrittenAt>& written, Node** present, Span span) {
  if (place.content == "Extension" || place.content.empty()) {
    return;
  }
  for (const fhir::Element* element : c_.types->Children(place.content)) {
    if (element->min == 0) {
      continue;
    }
    auto found = written.find(element->name);
    std::string shown = place.shown + "." + element->name + (element->choice ? "[x]" : "");
    if (found == written.end()) {
      Error(DiagnosticKind::kMissingRequired, span, fmt::format("`{}` is required and no line writes it", shown),
            fmt::format("add a line `{}: …` or, when the source has none, `{}: absent unknown`", element->name, element->name));
      Explain(ConformanceEntry::State::kError, shown, "required", "no line");
      continue;
    }
    if (!found->second.span.valid()) {
      continue;
    }
    Judgement judgement = found->second.assured ? Judgement{} : Writes(object, place.content, {element->name});
    if (judgement.state == Judgement::State::kProved) {
      Explain(ConformanceEntry::State::kProved, shown, "required", "always written");
    } else if (place.resource || judgement.condition == nullptr) {
      Error(DiagnosticKind::kMissingRequired, found->second.span, fmt::format("`{}` is required, and its source may be absent", shown),
            "add `else` and a value, `else absent unknown`, or `require` the source in the feed");
      Explain(ConformanceEntry::State::kError, shown, "required", "source may be absent");
    } else {
      *present = And(*present, judgement.condition);  // without it the object is not written
      Explain(ConformanceEntry::State::kRunTime, shown, "required", "the object is left out without it");
    }
  }
}

Node* Generator::EmitObject(const Place& place, const std::vector<BoundLine>& lines, std::vector<Node*> members, Node** present,
                            Span span) {
  std::vector<Group> groups;
  bool broken = false;
  size_t errors_before = sink_.error_count();
  for (const BoundLine& bound : lines) {
    if (bound.step >= bound.line->target.steps.size()) {
      continue;
    }
    const ast::TargetStep& step = bound.line->target.steps[bound.step];
    Group group;
    if (!Resolve(place, step, &group.target)) {
      broken = true;
      continue;
    }
    bool last = bound.step + 1 == bound.line->target.steps.size();
    group.key = step.name.text + "(" + step.slice.text + ")";
    auto known = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.key == group.key; });
    if (known == groups.end()) {
      group.ordinal = groups.size();
      groups.push_back(std::move(group));
      known = std::prev(groups.end());
    }
    known->spans.push_back(step.name.span);
    if (last) {
      known->whole.push_back(bound);
    } else {
      known->deeper.push_back({bound.line, bound.scope, bound.step + 1});
    }
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::tuple(a.target.element->order, a.target.element->name, a.ordinal) <
           std::tuple(b.target.element->order, b.target.element->name, b.ordinal);
  });

  struct Written {
    Value value;
    Span span;
    std::string json, type;
  };
  std::map<std::string, WrittenAt> written;
  Node* any = nullptr;
  bool always = false;
  const Node* period_start = nullptr;
  for (size_t i = 0; i < groups.size();) {
    size_t end = i + 1;
    while (end < groups.size() && groups[end].target.element->name == groups[i].target.element->name) {
      ++end;
    }
    const Resolved& first = groups[i].target;
    std::vector<Written> values;
    std::vector<Node*> siblings;  // `_name`
    for (size_t g = i; g < end; ++g) {
      Group& group = groups[g];
      Resolved& target = group.target;
      std::vector<BoundLine> nested = group.deeper;
      std::vector<std::pair<int64_t, Node*>> lets;
      std::vector<BoundLine> whole = group.whole;
      if (!nested.empty() && !target.primitive && !target.many) {
        for (size_t w = 0; w < whole.size();) {
          std::vector<BoundLine> joined;
          if (Inline(whole[w], target, &joined, &lets)) {
            nested.insert(nested.begin(), joined.begin(), joined.end());
            whole.erase(whole.begin() + static_cast<std::ptrdiff_t>(w));
          } else {
            ++w;
          }
        }
      }
      for (const BoundLine& bound : whole) {
        for (Value& value : LineValues(bound, target)) {
          std::string json = target.json, type = target.type;
          if (json.empty() && value.node != nullptr) {  // an open choice: the value's conversion named the type
            json = value.node->op == Op::kMember ? value.node->text : target.element->name;
            auto chosen = c_.types->FindElement(place.content, json);
            type = chosen && chosen.chosen != nullptr ? chosen.chosen->code : type;
          }
          values.push_back({value, StepSpan(bound), json, type});
        }
      }
      if (nested.empty()) {
        continue;
      }
      std::vector<Node*> inner;
      Place child = target.child;
      if (!target.url.empty()) {
        inner.push_back(Emit(Op::kMember, {Emit(Op::kJson, {}, JsonText(target.url))}, "url"));
      }
      if (target.primitive) {
        child = {.content = "Element", .shown = target.shown};
      }
      Node* child_present = nullptr;
      Node* object = EmitObject(child, nested, inner, &child_present, group.spans.front());
      for (auto it = lets.rbegin(); it != lets.rend(); ++it) {
        object = Emit(Op::kLet, {it->second, object}, "", it->first);
      }
      if (target.primitive) {
        siblings.push_back(Emit(Op::kMember, {object}, "_" + target.json));
        any = Or(any, child_present == nullptr ? nullptr : Clone(child_present));
      } else {
        values.push_back({{object, child_present, child_present == nullptr}, group.spans.front(), target.json, target.type});
      }
    }
    if (!first.many) {
      for (size_t a = 0; a < values.size(); ++a) {
        for (size_t b = a + 1; b < values.size(); ++b) {
          if (!Disjoint(values[a].value.always ? nullptr : values[a].value.present, values[b].value.always ? nullptr : values[b].value.present)) {
            sink_.Report({.kind = DiagnosticKind::kTwoWriters,
                          .span = values[b].span,
                          .message = fmt::format("`{}` takes one value and two lines write it", first.shown),
                          .help = "join them by `else`, or give both a `when` so that they exclude one another",
                          .notes = {{values[a].span, "the other line"}},
                          .label = {}});
            a = values.size();
            break;
          }
        }
      }
    }
    if (place.content == "Period" && values.size() == 1) {
      if (first.json == "start") {
        period_start = values[0].value.node;
      } else if (first.json == "end" && period_start != nullptr) {
        values[0].value.node = EndOfPeriod(place.shown + ".end", period_start, values[0].value.node);
        values[0].value.always = false;
      }
    }
    for (Written& w : values) {
      for (conform::Rule rule : sink_.error_count() == errors_before ? rules_.OfElement(*first.element, w.type) : std::vector<conform::Rule>()) {
        if (sink_.error_count() != errors_before) {
          break;  // a second rule that breaks with the first is no news
        }
        rule.element = first.shown;
        Node* condition = nullptr;
        w.value.node = GuardElements(w.value.node, w.type, rule, w.span, &condition);
        if (condition != nullptr) {
          w.value.present = And(w.value.present, Clone(condition));
          w.value.always = false;
        }
      }
    }
    Value total;
    for (const Written& w : values) {
      total.node = total.node == nullptr ? w.value.node : total.node;
      total.always = total.always || w.value.always;
      total.assured = total.assured || w.value.assured;
      total.present = w.value.present == nullptr ? total.present : Or(total.present, Clone(w.value.present));
    }
    if (!values.empty() && first.many) {
      std::vector<Node*> elements;
      for (const Written& w : values) {
        elements.push_back(w.value.node);
      }
      members.push_back(Emit(Op::kMember, {Emit(Op::kArray, std::move(elements))}, first.json, 0, values.front().span));
    } else {
      std::map<std::string, std::vector<Node*>> by_json;
      for (const Written& w : values) {
        if (w.value.node->op == Op::kMember || (w.value.node->op == Op::kFirst && !w.value.node->kids.empty() && w.value.node->kids[0]->op == Op::kMember)) {
          members.push_back(w.value.node);  // wrote its own name: an open choice, or a primitive with `absent`
        } else {
          by_json[w.json].push_back(w.value.node);
        }
      }
      for (auto& [json, nodes] : by_json) {
        Node* value = nodes.size() == 1 ? nodes[0] : Emit(Op::kFirst, nodes);
        members.push_back(Emit(Op::kMember, {value}, json, 0, values.front().span));
      }
    }
    members.insert(members.end(), siblings.begin(), siblings.end());
    bool patch = place.resource && first.element->min == 0 && end == i + 1 && groups[i].whole.size() == 1 && groups[i].deeper.empty();
    if (Node* null = patch && !members.empty() ? NullOf(groups[i].whole[0]) : nullptr) {
      Node* deleted = Emit(Op::kWhen, {null, Emit(Op::kMember, {Emit(Op::kJson, {}, "null")}, first.json)});
      members.back() = Emit(Op::kFirst, {members.back(), deleted});
    }
    if (!values.empty() || !siblings.empty()) {
      Span at = total.node != nullptr && total.node->span.valid() ? total.node->span : values.empty() ? span : values.front().span;
      written[first.element->name] = {at, total.assured};
    } else if (sink_.has_errors()) {
      written[first.element->name] = {};
    }
    always = always || total.always;
    any = total.present == nullptr ? any : Or(any, Clone(total.present));
    i = end;
  }
  Node* object = Emit(Op::kObject, std::move(members), "", 0, span);
  Node* required = nullptr;
  if (!broken) {
    CheckRequired(place, object, written, &required, span);
  }
  *present = required != nullptr ? required : always ? nullptr : any;
  // An extension needs more than its url: without a value or parts nothing is written.
  if (place.content == "Extension") {
    Judgement judgement = Writes(object, "Extension", {"extension", "value"});
    required = judgement.condition == nullptr ? required : And(required, judgement.condition);
  }
  // What is at fault already breaks rules as well: that is no news.
  return place.resource || broken || sink_.error_count() != errors_before ? object : GuardObject(object, place, required, present, span);
}

}  // namespace weir::check
