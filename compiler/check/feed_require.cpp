// What a feed requires of its messages, and the merges it honours: effects that run before the maps.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "compiler/check/generator.h"

namespace weir::check {

using ast::Clause;
using ast::ClauseKind;
using ir::Node;
using ir::Op;

void Generator::Requires(FeedState& state, std::vector<Node*>& effects) {
  Scope scope = NewScope(&state.shape);
  for (const Clause* clause : state.clauses) {
    if (clause->kind == ClauseKind::kRequire) {
      for (const auto& expr : clause->exprs) {
        Require(*expr, {}, scope, effects);
      }
    } else if (clause->kind == ClauseKind::kMergeKey) {
      MergeKey(*clause, scope, effects);
    } else if (clause->kind == ClauseKind::kOn) {
      std::set<std::string> events = Events(clause->events);
      shapes_.push_back(ShapeOf(state, events));
      Scope inner = NewScope(&shapes_.back());
      std::vector<Node*> body;
      for (const Clause& line : clause->clauses) {
        if (line.kind == ClauseKind::kRequire) {
          for (const auto& expr : line.exprs) {
            Require(*expr, events, inner, body);
          }
        } else if (line.kind == ClauseKind::kMergeKey) {
          MergeKey(line, inner, body);
        }
      }
      if (!body.empty() && !events.empty()) {
        effects.push_back(Emit(Op::kWhen, {EventIs(events), Emit(Op::kSequence, std::move(body))}));
      }
    }
  }
}

void Generator::Require(const ast::Expr& expr, const std::set<std::string>& events, Scope& scope, std::vector<Node*>& effects) {
  Node* condition = nullptr;
  std::string path;
  const ast::KeyspaceDecl* keyspace =
      expr.kind == ast::ExprKind::kName ? c_.declarations.Keyspace(expr.text) : nullptr;
  if (keyspace != nullptr) {
    Node* key = CheckKeyspace(Context(), *keyspace, scope);
    condition = key == nullptr ? nullptr : Exists(key);
    path = expr.text;
  } else {
    condition = CheckRequirement(Context(), expr, scope);
    path = std::string(c_.files[expr.span.file].Text(expr.span));
  }
  if (condition == nullptr) {
    return;
  }
  requires_.push_back({events, Clone(condition)});
  effects.push_back(Emit(Op::kRequire, {condition}, "", Site("schema", "required", path, false, expr.span), expr.span));
}

namespace {

// The field whose repetitions a keyspace's key is made from: the first one in its parts of the type of the given item.
const Node* KeyField(const Node* node, const std::string& type) {
  if (node->op == Op::kField && node->type.name == type) {
    return node;
  }
  for (const Node* kid : node->kids) {
    if (const Node* found = KeyField(kid, type)) {
      return found;
    }
  }
  return nullptr;
}

}  // namespace

// The keyspace's own key expression, read of another item: where it reads its field, the item stands; other fields of
// the message say nothing about the item and are empty.
void Generator::MergeKey(const Clause& clause, Scope& outer, std::vector<Node*>& effects) {
  const ast::KeyspaceDecl* keyspace = c_.declarations.Keyspace(clause.name.text);
  if (keyspace == nullptr) {
    std::string near = Nearest(clause.name.text, c_.declarations.NamesOf(ast::DeclKind::kKeyspace));
    Error(DiagnosticKind::kUnknownDeclaration, clause.name.span, fmt::format("no keyspace `{}` is declared", clause.name.text),
          near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    return;
  }
  Scope scope = outer;
  Node* collection = nullptr;
  int64_t slot = -1;
  if (!clause.for_each.sources.empty()) {
    collection = CheckExpr(Context(), *clause.for_each.sources[0], scope);
    if (collection == nullptr) {
      return;
    }
    slot = (*slots_)++;
    ir::Type item = Of(collection->type.name, true, ir::Max::kOne);
    scope.variables.push_back({clause.for_each.binding.text, slot, item});
    (item.name.starts_with("v2.segment.") ? scope.segments : scope.groups)
        .push_back({item.name.substr(item.name.rfind('.') + 1), slot, item});
  }
  auto key_of = [&](const ast::Item& item) -> std::pair<Node*, Node*> {  // the item, the key read of slot
    Node* value = item.alternatives.empty() || item.alternatives[0].expr == nullptr
                      ? nullptr
                      : CheckExpr(Context(), *item.alternatives[0].expr, scope);
    Node* key = CheckKeyspace(Context(), *keyspace, scope);
    if (value == nullptr || key == nullptr) {
      return {};
    }
    // What it is within stays that of the message: a merged visit is the same patient's.
    auto own_begin = key->kids.begin() + key->number;
    const Node* field = nullptr;
    for (auto part = own_begin; part != key->kids.end() && field == nullptr; ++part) {
      field = KeyField(*part, value->type.name);
    }
    std::string position = field == nullptr ? "" : Print(*field);
    int64_t item_slot = (*slots_)++;
    auto rewrite = [&](auto& self, const Node* node) -> Node* {
      if (node->op == Op::kField) {
        return Print(*node) == position ? Var(item_slot, Of(value->type.name, false, ir::Max::kOne))
                                        : New(Op::kEmpty, node->type, {});
      }
      std::vector<Node*> kids;
      for (const Node* kid : node->kids) {
        kids.push_back(self(self, kid));
      }
      return New(node->op, node->type, std::move(kids), node->text, node->number, node->span);
    };
    std::vector<Node*> parts(key->kids.begin(), own_begin);
    std::transform(own_begin, key->kids.end(), std::back_inserter(parts),
                   [&](const Node* part) { return rewrite(rewrite, part); });
    Node* other = New(Op::kKey, TextType(), std::move(parts), key->text, key->number);
    return {value, New(Op::kLet, TextType(), {value, other}, "", item_slot)};
  };
  auto [loser_item, loser] = key_of(clause.item);
  Node* survivor = clause.survivor.alternatives.empty() ? CheckKeyspace(Context(), *keyspace, scope)
                                                        : key_of(clause.survivor).second;
  if (loser == nullptr || survivor == nullptr) {
    return;
  }
  Node* present = Exists(loser_item);
  Node* effect = Emit(Op::kWhen, {present, Emit(Op::kAlias, {loser, survivor}, keyspace->type.text, 0, clause.span)});
  if (clause.condition != nullptr) {
    if (Node* when = CheckCondition(Context(), *clause.condition, scope)) {
      effect = Emit(Op::kWhen, {when, effect});
    }
  }
  effects.push_back(collection == nullptr ? effect : Emit(Op::kEach, {collection, effect}, "", slot));
}

}  // namespace weir::check
