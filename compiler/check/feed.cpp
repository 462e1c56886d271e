// A feed's clauses: what it accepts, how a record is identified and ordered, and the shape its paths are checked against.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/check/generator.h"

namespace weir::check {

using ast::Clause;
using ast::ClauseKind;
using ir::Node;
using ir::Op;

namespace {

int64_t Seconds(const ast::Duration& duration) {
  static const std::map<std::string, int64_t> kUnits = {{"second", 1},   {"minute", 60},    {"hour", 3600},
                                                        {"day", 86400}, {"week", 604800}};
  auto unit = kUnits.find(duration.unit);
  return duration.amount * (unit == kUnits.end() ? 86400 : unit->second);
}

}  // namespace

std::set<std::string> Generator::Events(const std::vector<ast::EventRange>& ranges) {
  std::set<std::string> events;
  for (const auto& range : ranges) {
    const std::string& first = range.first.text;
    bool code = first.size() == 3 && first[0] >= 'A' && first[0] <= 'Z' && isdigit(static_cast<unsigned char>(first[1])) != 0;
    if (!range.last.empty() && code && range.last.text.size() == 3) {
      for (int n = std::stoi(first.substr(1)); n <= std::atoi(range.last.text.c_str() + 1); ++n) {
        events.insert(fmt::format("{}{:02}", first[0], n));
      }
    } else if (code || first == "*") {
      events.insert(first);
    } else if (const auto* set = c_.declarations.Events(first)) {
      events.merge(Events(set->events));
    } else {
      std::string near = Nearest(first, c_.declarations.NamesOf(ast::DeclKind::kEvents));
      Error(DiagnosticKind::kUnknownDeclaration, range.first.span, fmt::format("no event or set of events `{}`", first),
            near.empty() ? "events are written A01, A01..A08, or by the name of an `events` declaration"
                         : fmt::format("did you mean `{}`?", near));
    }
  }
  return events;
}

Node* Generator::EventIs(const std::set<std::string>& events) {
  Node* condition = nullptr;
  for (const std::string& event : events) {
    Node* is = New(Op::kBinary, BooleanType(), {New(Op::kEvent, TextType(), {}), Text(event)}, "=");
    condition = Or(condition, is);
  }
  return condition;
}

void Generator::ReadAccept(FeedState& state, const Clause& clause) {
  std::string message;
  for (const auto& range : clause.events) {
    message = range.message.empty() ? message : range.message.text;
    state.type = message;
    for (const std::string& event : Events({range})) {
      state.feed.accept.push_back(message + "^" + event);
      state.events.push_back(event);
      bool known = event == "*";
      for (const std::string& version : fhir::V2Table::Versions()) {
        known = known || !c_.v2->StructureOf(version, message, event).empty();
      }
      if (!known && range.last.empty() && range.structure.empty() && message.substr(0, 1) != "Z") {
        Error(DiagnosticKind::kUnknownEvent, range.first.span, fmt::format("no version of HL7 v2 has `{}^{}`", message, event),
              fmt::format("`{} as ADT_A01` names the structure such messages have", event));
      }
    }
  }
  for (const auto& id : clause.names) {
    if (id.text != "any") {
      state.feed.processing.push_back(id.text);
    }
  }
}

void Generator::ReadVersions(FeedState& state, const Clause& clause) {
  const auto& all = fhir::V2Table::Versions();
  std::set<int> picked;
  bool any = false;
  auto index = [&](const ast::Name& name) {
    int at = fhir::V2Table::VersionIndex(name.text);
    if (at < 0) {
      Error(DiagnosticKind::kUnknownVersion, name.span, fmt::format("`{}` is no version of HL7 v2", name.text),
            fmt::format("known are {}", fmt::join(all, ", ")));
    }
    return at;
  };
  for (const auto& range : clause.versions) {
    if (range.first.text == "any") {
      any = true;
      continue;
    }
    int first = index(range.first), last = range.last.empty() ? first : index(range.last);
    for (int at = first; at >= 0 && at <= last; ++at) {
      picked.insert(at);
    }
  }
  for (int at = static_cast<int>(all.size()) - 1; at >= 0; --at) {
    if (any || picked.contains(at)) {
      state.versions.push_back(all[at]);
    }
  }
  if (!any) {
    state.feed.versions.assign(state.versions.rbegin(), state.versions.rend());
  }
  if (!clause.name.empty() && index(clause.name) >= 0) {
    state.feed.version_else = clause.name.text;
  }
}

MessageShape Generator::ShapeOf(const FeedState& state, const std::set<std::string>& events) const {
  MessageShape shape;
  shape.versions = state.versions;
  for (const std::string& version : state.versions) {
    for (const std::string& event : state.events) {
      if (events.empty() || events.contains(event)) {
        std::string structure = c_.v2->StructureOf(version, state.type, event);
        if (!structure.empty()) {
          shape.structures.insert(structure);
        }
      }
    }
  }
  for (const Clause* clause : state.clauses) {
    if (clause->kind == ClauseKind::kAccept) {
      for (const auto& range : clause->events) {
        if (!range.structure.empty()) {
          shape.structures.insert(range.structure.text);
        }
      }
    } else if (clause->kind == ClauseKind::kSegment) {
      MessageShape::Declared declared;
      declared.repeats = clause->repeating;
      for (const auto& field : clause->fields) {
        fhir::V2Field out;
        out.position = static_cast<uint32_t>(field.position);
        out.name = field.name.text;
        out.type = field.type.text;
        out.max = field.repeating ? fhir::kV2Unbounded : 1;
        declared.fields.push_back(std::move(out));
      }
      shape.declared.insert_or_assign(clause->name.text, std::move(declared));
    }
  }
  return shape;
}

void Generator::ReadClauses(FeedState& state) {
  std::set<ClauseKind> own;
  const ast::FeedDecl* decl = state.decl;
  for (int depth = 0; decl != nullptr && depth < 8; ++depth) {
    std::set<ClauseKind> here;
    for (const Clause& clause : decl->clauses) {
      bool single = clause.kind != ClauseKind::kRequire && clause.kind != ClauseKind::kOn && clause.kind != ClauseKind::kIgnore &&
                    clause.kind != ClauseKind::kSegment && clause.kind != ClauseKind::kSlo && clause.kind != ClauseKind::kMergeKey;
      if (!single || !own.contains(clause.kind)) {
        state.clauses.push_back(&clause);
        here.insert(clause.kind);
      }
    }
    own.merge(here);
    const ast::FeedDecl* base = decl->extends.empty() ? nullptr : c_.declarations.Feed(decl->extends.text);
    if (!decl->extends.empty() && base == nullptr) {
      std::string near = Nearest(decl->extends.text, c_.declarations.NamesOf(ast::DeclKind::kFeed));
      Error(DiagnosticKind::kUnknownDeclaration, decl->extends.span, fmt::format("no feed `{}` is declared", decl->extends.text),
            near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    }
    decl = base;
  }
  for (const Clause* clause : state.clauses) {
    if (clause->kind == ClauseKind::kAccept) {
      ReadAccept(state, *clause);
    } else if (clause->kind == ClauseKind::kVersions) {
      ReadVersions(state, *clause);
    } else if (clause->kind == ClauseKind::kSegment) {
      state.feed.declared_segments.emplace_back(clause->name.text, clause->anchor.text);
    } else if (clause->kind == ClauseKind::kInvalid) {
      state.degrade = clause->name.text == "degrade";
    } else if (clause->kind == ClauseKind::kLate && clause->duration) {
      state.feed.late_seconds = Seconds(*clause->duration);
    } else if (clause->kind == ClauseKind::kFuture && clause->duration) {
      state.feed.future_seconds = Seconds(*clause->duration);
    } else if (clause->kind == ClauseKind::kAcknowledge) {
      state.feed.acknowledge_errors = clause->name.text == "errors";
    } else if (clause->kind == ClauseKind::kTimezone) {
      state.feed.zone = Zone(clause->text.text, clause->text.span);
    }
  }
  if (state.versions.empty()) {
    state.versions.assign(fhir::V2Table::Versions().rbegin(), fhir::V2Table::Versions().rend());
  }
  state.shape = ShapeOf(state, {});
}

namespace {

void CollectGroups(const Node& node, std::set<std::string>* names) {
  if (node.op == Op::kGroups) {
    names->insert(node.text);
  }
  for (const Node* kid : node.kids) {
    CollectGroups(*kid, names);
  }
}

bool HasGroup(const std::vector<fhir::V2Item>& items, const std::set<std::string>& names) {
  return std::any_of(items.begin(), items.end(), [&](const fhir::V2Item& item) {
    return item.group && (names.contains(item.name) || HasGroup(item.items, names));
  });
}

std::vector<ir::StructureItem> Grammar(const std::vector<fhir::V2Item>& items) {
  std::vector<ir::StructureItem> out;
  for (const auto& item : items) {
    out.push_back({item.name, item.group, item.repeats(), Grammar(item.items)});
  }
  return out;
}

}  // namespace

// The structures whose groups the feed names, each by the newest accepted version that has such a group.
void Generator::GroupGrammars(const FeedState& state) {
  std::set<std::string> names;
  CollectGroups(*state.feed.transform, &names);
  for (const std::string& structure : state.shape.structures) {
    for (const std::string& version : state.versions) {
      const auto* items = c_.v2->Structure(version, structure);
      if (items == nullptr || !HasGroup(*items, names)) {
        continue;
      }
      ir::Structure grammar{.name = structure, .messages = {}, .items = Grammar(*items)};
      for (const std::string& event : state.events) {
        if (c_.v2->StructureOf(version, state.type, event) == structure) {
          grammar.messages.push_back(state.type + "^" + event);
        }
      }
      auto known = std::find_if(c_.module.structures.begin(), c_.module.structures.end(),
                                [&](const ir::Structure& other) { return other.name == structure; });
      if (known == c_.module.structures.end()) {
        c_.module.structures.push_back(std::move(grammar));
      }
      break;
    }
  }
}

void Generator::GenerateFeed(const ast::FeedDecl& decl) {
  FeedState state;
  state.decl = &decl;
  state.feed.name = decl.name.text;
  state.feed.version = decl.version.text;
  feed_ = &state;
  requires_.clear();
  assumptions_.clear();
  functions_.clear();
  int64_t slots = 0;
  slots_ = &slots;
  map_ = nullptr;
  ReadClauses(state);
  Scope scope = NewScope(&state.shape);
  std::vector<Node*> effects;
  state.feed.content_except = {"MSH-7", "MSH-13"};
  bool keyed = false;
  auto text = [&](const ast::Expr& expr) -> Node* {
    Node* node = CheckExpr(Context(), expr, scope);
    return node == nullptr ? nullptr : AsText(Context(), node);
  };
  for (const Clause* clause : state.clauses) {
    if (clause->kind == ClauseKind::kFrom && !clause->exprs.empty()) {
      state.feed.route = CheckCondition(Context(), *clause->exprs[0], scope);
    } else if (clause->kind == ClauseKind::kSuppress && !clause->exprs.empty()) {
      state.feed.suppress = CheckCondition(Context(), *clause->exprs[0], scope);
    } else if (clause->kind == ClauseKind::kDuplicate) {
      keyed = true;
      for (const auto& expr : clause->exprs) {
        if (Node* part = text(*expr)) {
          state.feed.duplicate_key.push_back(part);
        }
      }
      if (!clause->except.empty()) {
        state.feed.content_except.clear();
        for (const auto& expr : clause->except) {
          state.feed.content_except.push_back(std::string(c_.files[expr->span.file].Text(expr->span)));
        }
      }
    } else if (clause->kind == ClauseKind::kOrder) {
      for (const auto& alternative : clause->item.alternatives) {
        Node* part = alternative.expr == nullptr ? nullptr : text(*alternative.expr);
        if (part != nullptr) {
          state.feed.order_by.push_back(part);
        }
      }
    } else if (clause->kind == ClauseKind::kIgnore) {
      for (const auto& expr : clause->exprs) {
        CheckExpr(Context(), *expr, scope);
      }
    }
  }
  auto field = [&](int64_t n) {
    Node* segment = New(Op::kSegments, Of("v2.segment.MSH", true, ir::Max::kOne),
                        {New(Op::kMessage, Of("v2.message", true, ir::Max::kOne), {})}, "MSH");
    return New(Op::kText, TextType(), {New(Op::kField, Of("v2.ST", false, ir::Max::kOne), {segment}, "", n)});
  };
  if (!keyed) {
    for (int64_t n : {3, 4, 10}) {
      state.feed.duplicate_key.push_back(field(n));
    }
  }
  if (state.feed.order_by.empty()) {
    state.feed.order_by.push_back(field(7));
  }
  Requires(state, effects);
  for (const auto& entry : c_.declarations.all()) {
    const auto* map = ast::As<ast::MapDecl>(*entry.decl);
    if (map != nullptr && c_.declarations.IsOwn(*map) && map->from.text == decl.name.text) {
      GenerateMap(*map, effects);
    }
  }
  if (!decl.extends.empty()) {  // maps of the feed it extends serve it too, unless one of the same type is its own
    for (const auto& entry : c_.declarations.all()) {
      const auto* map = ast::As<ast::MapDecl>(*entry.decl);
      if (map != nullptr && map->from.text == decl.extends.text) {
        GenerateMap(*map, effects);
      }
    }
  }
  state.feed.transform = Emit(Op::kSequence, std::move(effects));
  state.feed.slot_count = slots;
  GroupGrammars(state);
  c_.module.feeds.push_back(std::move(state.feed));
  Overlaps();
  feed_ = nullptr;
  slots_ = nullptr;
}

// Two feeds that could take one record: the routes must exclude one another.
void Generator::Overlaps() {
  const ir::Feed& last = c_.module.feeds.back();
  for (size_t i = 0; i + 1 < c_.module.feeds.size(); ++i) {
    const ir::Feed& other = c_.module.feeds[i];
    bool shared = std::any_of(last.accept.begin(), last.accept.end(), [&](const std::string& event) {
      return std::find(other.accept.begin(), other.accept.end(), event) != other.accept.end();
    });
    assumptions_.clear();
    if (shared && !Disjoint(last.route, other.route)) {
      // An unrouted feed behind a routed one is the general case: the first that accepts counts.
      if (last.route == nullptr && other.route != nullptr) {
        continue;
      }
      Error(DiagnosticKind::kOverlappingFeeds, feed_->decl->name.span,
            fmt::format("`{}` and `{}` can take the same message", last.name, other.name),
            "let their `from` conditions exclude one another, as `from MSH-4 = 'EAST'` and `from MSH-4 = 'WEST'`");
    }
  }
}

}  // namespace weir::check
