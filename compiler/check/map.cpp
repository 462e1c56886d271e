// A map to effects: its lines after `extends`, its key, the instances it walks and the contribution of each.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "compiler/check/generator.h"

namespace weir::check {

using ast::Line;
using ast::LineKind;
using ir::Node;
using ir::Op;

namespace {

std::string TargetText(const ast::Target& target) {
  std::string text;
  for (const auto& step : target.steps) {
    text += (text.empty() ? "" : ".") + step.name.text + (step.slice.empty() ? "" : "(" + step.slice.text + ")");
  }
  return text;
}

bool Overrides(const Line& own, const Line& inherited) {
  bool directive = own.kind == LineKind::kKey || own.kind == LineKind::kMerge || own.kind == LineKind::kSnapshot ||
                   own.kind == LineKind::kOnFail;
  if (directive || inherited.target.steps.empty()) {
    return own.kind == inherited.kind;
  }
  std::string a = TargetText(own.target), b = TargetText(inherited.target);
  return a == b || b.starts_with(a + ".");
}

}  // namespace

std::vector<FlatLine> Generator::Flatten(const ast::MapDecl& map, int depth) {
  std::vector<FlatLine> inherited;
  for (const auto& base : map.extends) {
    const ast::MapDecl* decl = c_.declarations.Map(base.text);
    if (decl == nullptr || depth > 8) {
      std::string near = Nearest(base.text, c_.declarations.NamesOf(ast::DeclKind::kMap));
      Error(depth > 8 ? DiagnosticKind::kRecursion : DiagnosticKind::kUnknownDeclaration, base.span,
            fmt::format("no map `{}` can be extended here", base.text), near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      continue;
    }
    for (FlatLine& line : Flatten(*decl, depth + 1)) {
      bool key_twice = line.line->kind == LineKind::kKey &&
                       std::any_of(inherited.begin(), inherited.end(), [](const FlatLine& f) { return f.line->kind == LineKind::kKey; });
      if (!key_twice) {
        inherited.push_back(line);
      }
    }
  }
  std::vector<FlatLine> out;
  for (const FlatLine& line : inherited) {
    if (std::none_of(map.lines.begin(), map.lines.end(), [&](const Line& own) { return Overrides(own, *line.line); })) {
      out.push_back(line);
    }
  }
  for (const Line& line : map.lines) {
    if (line.kind != LineKind::kSkip) {
      out.push_back({&line, &map});
    }
  }
  return out;
}

std::string Generator::SourceType(const ast::MapDecl& map) { return map.from.empty() ? map.name.text : map.from.text; }

// ---- keys ----

Node* Generator::KeyOf(const ast::MapDecl& map, const std::vector<FlatLine>& lines, Scope& scope) {
  for (const FlatLine& flat : lines) {
    if (flat.line->kind != LineKind::kKey) {
      continue;
    }
    const auto& items = flat.line->items;
    bool bare = items.size() == 1 && items[0].alternatives.size() == 1 && items[0].alternatives[0].expr != nullptr &&
                items[0].alternatives[0].expr->kind == ast::ExprKind::kName;
    const ast::KeyspaceDecl* keyspace = bare ? c_.declarations.Keyspace(items[0].alternatives[0].expr->text) : nullptr;
    if (keyspace != nullptr) {
      Scope around = KeyScope(scope);
      return CheckKeyspace(Context(), *keyspace, around);
    }
    // Named for the map that declares the key, so that everyone who extends it or refers to it
    // means the same id.
    return CheckKey(Context(), map.to.text + "/" + flat.map->name.text, items, flat.line->within,
                    scope);
  }
  return nullptr;
}

// ---- instances ----

// `collection`'s item in `slot` is what the map stands at: $this, the binding, and for segments and groups their own name.
void Generator::Bind(const ast::Name& binding, const Node* collection, int64_t slot, Scope& scope) {
  ir::Type item = Of(collection->type.name, true, ir::Max::kOne);
  scope.this_type = item;
  scope.this_slot = slot;
  if (!binding.empty()) {
    scope.variables.push_back({binding.text, slot, item});
  }
  if (item.name.starts_with("v2.segment.")) {
    scope.segments.push_back({item.name.substr(11), slot, item});
  } else if (item.name.starts_with("v2.group.")) {
    scope.groups.push_back({item.name.substr(9), slot, item});
  }
}

const std::string& Generator::EnsureFunction(const ast::MapDecl& map) {
  if (auto known = functions_.find(&map); known != functions_.end()) {
    return known->second;
  }
  static const std::string kNone;
  if (!in_progress_.insert(&map).second) {
    Error(DiagnosticKind::kRecursion, map.name.span, fmt::format("the data type map `{}` needs itself", map.name.text));
    return kNone;
  }
  std::string name = Declarations::NameOf(map);
  for (char& c : name) {
    c = c == '.' ? '_' : c;
  }
  if (c_.module.FindFunction(name) != nullptr) {
    name += "_" + std::to_string(c_.module.functions.size());  // of another feed, which may treat invalid values otherwise
  }
  int64_t slots = 1;
  int64_t* outer_slots = slots_;
  const ast::MapDecl* outer_map = map_;
  std::vector<Node*> outer_assumptions;
  std::swap(outer_assumptions, assumptions_);
  slots_ = &slots;
  map_ = nullptr;
  Scope scope = NewScope(&feed_->shape);
  scope.this_type = Of("v2." + SourceType(map), true, ir::Max::kOne);
  scope.this_slot = 0;
  std::vector<BoundLine> lines;
  for (const FlatLine& line : Flatten(map)) {
    lines.push_back({line.line, Keep(scope), 0});
  }
  Node* present = nullptr;
  std::string outer_explained = std::exchange(explained_, Declarations::NameOf(map));
  Node* body = EmitObject({.content = map.to.text, .shown = map.to.text}, lines, {}, &present, map.header);
  explained_ = outer_explained;
  c_.module.functions.push_back({.name = name,
                                 .params = {{"$this", 0, scope.this_type}},
                                 .result = EmitType(),
                                 .body = body,
                                 .slot_count = slots});
  slots_ = outer_slots;
  map_ = outer_map;
  std::swap(outer_assumptions, assumptions_);
  in_progress_.erase(&map);
  return functions_[&map] = name;
}

// ---- the map ----

void Generator::GenerateMap(const ast::MapDecl& map, std::vector<Node*>& effects) {
  if (!c_.types->IsResource(map.to.text)) {
    std::string near = Nearest(map.to.text, c_.types->TypeNames());
    Error(DiagnosticKind::kUnknownType, map.to.span, fmt::format("`{}` is no resource type of FHIR R4", map.to.text),
          near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    return;
  }
  map_ = &map;
  explained_ = map.name.text;
  size_t errors_before = sink_.error_count();
  std::set<std::string> events = Events(map.on);
  const MessageShape* shape = &feed_->shape;
  if (!events.empty()) {
    shapes_.push_back(ShapeOf(*feed_, events));
    shape = &shapes_.back();
  }
  Scope scope = NewScope(shape);
  assumptions_.clear();
  for (const Assumption& require : requires_) {
    bool always = require.events.empty() ||
                  (!events.empty() && std::includes(require.events.begin(), require.events.end(), events.begin(), events.end()));
    if (always) {
      assumptions_.push_back(require.node);
    }
  }
  std::set<std::string> taken = events.empty() ? std::set<std::string>(feed_->events.begin(), feed_->events.end()) : events;
  if (!taken.empty() && !taken.contains("*")) {
    assumptions_.push_back(EventIs(taken));
  }
  Node* collection = nullptr;
  int64_t slot = -1;
  Node* condition = nullptr;
  const std::vector<ast::ExprPtr>* sources = &map.for_each.sources;
  for (const Line& line : map.lines) {
    if (line.kind == LineKind::kSnapshot && sources->empty()) {
      sources = &line.sources;  // the set's members are the instances
    }
    if (line.kind == LineKind::kSnapshot || line.kind == LineKind::kOnFail) {
      bool snapshot = line.kind == LineKind::kSnapshot;
      sink_.Report(DiagnosticKind::kNotActedOn, line.span,
                   snapshot ? "`snapshot set` is kept: instances are made, and none is removed yet when a newer message lacks it"
                            : "`on_fail` is kept: a failing instance still rejects its message",
                   "docs/status.md lists what is parsed and not yet acted on");
    }
  }
  for (const auto& source : *sources) {
    Node* next = CheckExpr(Context(), *source, scope);
    if (next == nullptr) {
      return;
    }
    if (collection != nullptr && next->type.name != collection->type.name) {
      Error(DiagnosticKind::kTypeMismatch, source->span,
            fmt::format("{} beside {}: a `for each` walks values of one type", TypeWords(next->type), TypeWords(collection->type)));
      return;
    }
    collection = collection == nullptr
                     ? next : New(Op::kCall, Of(next->type.name, false, ir::Max::kMany), {collection, next}, "combine", 0);
  }
  if (collection != nullptr) {
    slot = (*slots_)++;
    Bind(map.for_each.binding, collection, slot, scope);
    if (map.for_each.condition != nullptr) {
      condition = CheckCondition(Context(), *map.for_each.condition, scope);
      if (condition != nullptr) {
        assumptions_.push_back(Clone(condition));
      }
    }
  }
  std::vector<FlatLine> lines = Flatten(map);
  ir::MapInfo info{.name = map.name.text, .resource_type = map.to.text, .merge = "patch", .precedence = 1, .snapshot = false};
  const ast::LifecycleDecl* lifecycle = nullptr;
  const Line* lifecycle_line = nullptr;
  std::vector<BoundLine> bound;
  for (const FlatLine& flat : lines) {
    const Line& line = *flat.line;
    if (line.kind == LineKind::kMerge) {
      info.merge = line.name.text;
      info.precedence = line.name.text == "fill" ? 0 : 1;
    } else if (line.kind == LineKind::kSnapshot) {
      info.snapshot = true;
    } else if (line.kind == LineKind::kLifecycle) {
      lifecycle = c_.declarations.Lifecycle(line.name.text);
      lifecycle_line = &line;
      if (lifecycle == nullptr) {
        std::string near = Nearest(line.name.text, c_.declarations.NamesOf(ast::DeclKind::kLifecycle));
        Error(DiagnosticKind::kUnknownDeclaration, line.name.span, fmt::format("no lifecycle `{}` is declared", line.name.text),
              near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      }
    }
    if (!line.target.steps.empty()) {
      bound.push_back({&line, Keep(scope), 0});
    }
  }
  Node* key = KeyOf(map, lines, scope);
  bool has_key = std::any_of(lines.begin(), lines.end(), [](const FlatLine& f) { return f.line->kind == LineKind::kKey; });
  if (!has_key) {
    Error(DiagnosticKind::kNoKey, map.name.span, fmt::format("map `{}` has no key", map.name.text),
          "write `key` and a keyspace, or the values that make two messages speak of one resource");
  }
  if (key == nullptr) {
    key = New(Op::kKey, TextType(true), {});  // reported; the lines are checked all the same
  }
  if (!KeyProved(key)) {
    for (const FlatLine& flat : lines) {
      if (flat.line->kind == LineKind::kKey) {
        Span span = flat.line->items.empty() ? flat.line->span : flat.line->items.front().span;
        for (size_t i = 0; i < flat.line->items.size() && flat.line->items.size() + (flat.line->within.empty() ? 0 : 1) == key->kids.size(); ++i) {
          Node* part = key->kids[i + (flat.line->within.empty() ? 0 : 1)];
          if (!Proved(Exists(part)) && !(part->op == Op::kKey && KeyProved(part))) {
            span = flat.line->items[i].span;
            break;
          }
        }
        std::string text(c_.files[span.file].Text(span));
        Error(DiagnosticKind::kNullableKey, span, fmt::format("`{}` may be absent, and a key may not", text),
              fmt::format("add `require {}` to the feed, or an alternative with `else`", text));
      }
    }
  }
  auto ordinal = static_cast<int64_t>(c_.module.maps.size());
  c_.module.maps.push_back(info);

  Node* present = nullptr;
  std::vector<Node*> head = {Emit(Op::kMember, {Emit(Op::kJson, {}, JsonText(map.to.text))}, "resourceType")};
  int64_t id_slot = (*slots_)++;
  uint32_t id_site = Site("transform", "key", map.name.text, false, map.name.span);
  head.push_back(Emit(Op::kMember, {Emit(Op::kPrimitive, {Var(id_slot, TextType(true))}, "id", id_site)}, "id"));
  Node* body = EmitObject({.content = map.to.text, .shown = map.to.text, .resource = true}, bound, head, &present, map.to.span);
  std::vector<Node*> checks;
  Node* claim = nullptr;
  if (sink_.error_count() == errors_before) {  // else what is at fault already breaks rules as well
    CheckResource(map, body, &checks);
    claim = map.profile.empty() ? nullptr : Profile(map, body);
  }
  if (claim != nullptr) {
    body->kids.insert(body->kids.begin() + 2, claim);
  }
  auto event = [&] { return New(Op::kEvent, TextType(), {}); };
  std::string op = info.merge == "replace" ? "put" : info.merge == "fill" ? "fill" : "patch";
  Node* contribute = Emit(Op::kContribute, {Var(id_slot, TextType()), event(), body}, op + " " + map.to.text, ordinal, map.name.span);
  if (!checks.empty()) {
    checks.push_back(contribute);
    contribute = Emit(Op::kSequence, std::move(checks));
  }
  std::vector<Node*> steps;
  std::set<std::string> undoing, stated;
  if (lifecycle != nullptr) {
    for (const auto& row : lifecycle->rows) {
      std::set<std::string> row_events = Events(row.events);
      if (!row.undoes) {
        stated.insert(row_events.begin(), row_events.end());
        continue;
      }
      undoing.insert(row_events.begin(), row_events.end());
      Node* tags = nullptr;
      for (const std::string& undone : Events(row.undone)) {
        Node* tag = Text(undone);
        tags = tags == nullptr ? tag : New(Op::kBinary, Of("System.String", true, ir::Max::kMany), {tags, tag}, "|");
      }
      if (tags != nullptr) {
        steps.push_back(Emit(Op::kWhen, {EventIs(row_events), Emit(Op::kRetract, {Var(id_slot, TextType()), tags}, map.to.text, ordinal)}));
      }
    }
  }
  if (undoing.empty()) {
    steps.push_back(contribute);
  } else {
    // An undo says that something did not happen; what else it carries is no news of the visit.
    steps.push_back(Emit(Op::kWhen, {New(Op::kCall, BooleanType(), {EventIs(undoing)}, "not"), contribute}));
  }
  if (lifecycle_line != nullptr && lifecycle != nullptr && !lifecycle_line->items.empty()) {
    // `lifecycle … else X`: used only while nothing else says, so a contribution of lower precedence.
    Resolved target;
    if (Resolve({.content = map.to.text, .shown = map.to.text, .resource = true}, lifecycle_line->target.steps[0], &target)) {
      Value value = ItemValue(lifecycle_line->items[0], target, *Keep(scope));
      if (value.node != nullptr) {
        Node* object = Emit(Op::kObject, {Clone(head[0]), Clone(head[1]), Emit(Op::kMember, {value.node}, target.json)});
        if (claim != nullptr) {
          object->kids.insert(object->kids.begin() + 2, Clone(claim));
        }
        std::set<std::string> said = stated;
        said.insert(undoing.begin(), undoing.end());
        steps.push_back(Emit(Op::kWhen, {New(Op::kCall, BooleanType(), {EventIs(said)}, "not"),
                                         Emit(Op::kContribute, {Var(id_slot, TextType()), event(), object}, "fill " + map.to.text, ordinal)}));
      }
    }
  }
  Node* effect = Emit(Op::kLet, {key, Emit(Op::kSequence, std::move(steps))}, "", id_slot);
  if (condition != nullptr) {
    effect = Emit(Op::kWhen, {condition, effect});
  }
  if (collection != nullptr) {
    effect = Emit(Op::kEach, {collection, effect}, "", slot);
  }
  effects.push_back(events.empty() ? effect : Emit(Op::kWhen, {EventIs(events), effect}));

  auto& orders = c_.module.element_orders;
  if (std::none_of(orders.begin(), orders.end(), [&](const auto& order) { return order.first == map.to.text; })) {
    std::vector<std::string> names;
    for (const fhir::Element* element : c_.types->Children(map.to.text)) {
      if (element->choice) {
        for (const auto& type : element->types) {
          names.push_back(fhir::TypeTable::ChoiceName(element->name, type.code));
        }
      } else {
        names.push_back(element->name);
      }
    }
    orders.emplace_back(map.to.text, std::move(names));
  }
  map_ = nullptr;
}

}  // namespace weir::check
