#include "compiler/conform/formula.h"

#include <algorithm>

#include "compiler/conform/node_key.h"

namespace weir::conform {

using ir::Max;
using ir::Node;
using ir::Op;

namespace {

constexpr size_t kMaxDiagramNodes = 60'000;  // of one question: a compile stays quick
constexpr int kMaxSplits = 8;  // atoms taken out of a condition on items, each doubling it

}  // namespace

ir::Type Boolean() { return {.name = "System.Boolean", .required = true, .max = Max::kOne}; }
ir::Type Single(std::string name) {
  return {.name = std::move(name), .required = false, .max = Max::kOne};
}

Node* Formulas::New(Op op, const ir::Type& type, std::initializer_list<Node*> kids,
                    std::string_view text, int64_t number) {
  return New(op, type, std::vector<Node*>(kids), text, number);
}
Node* Formulas::New(Op op, const ir::Type& type, const std::vector<Node*>& kids,
                    std::string_view text, int64_t number) {
  if (scratch_used_ == scratch_.size()) {
    scratch_.emplace_back();
  }
  Node* node = &scratch_[scratch_used_++];
  node->op = op;
  node->type = type;
  node->text = text;
  node->number = number;
  node->kids = kids;
  return node;
}
Node* Formulas::Text(std::string text) {
  return New(Op::kLiteral, {.name = "System.String", .required = true, .max = Max::kOne}, {},
             std::move(text));
}
Node* Formulas::Var(int64_t slot, const std::string& type) {
  return New(Op::kVar, {.name = type, .required = true, .max = Max::kOne}, {}, "", slot);
}

int64_t Formulas::NewSlots(int64_t count) {
  int64_t first = *slots_;
  *slots_ += count;
  return first;
}

void Formulas::Begin() {
  first_slot_ = *slots_;
  bdd_.Clear(kMaxDiagramNodes);
  scratch_used_ = 0;
  atoms_.clear();
  index_.clear();
}

// The node with `value` for a slot.
Node* Formulas::Bound(Node* node, int64_t slot, Node* value) {
  if (node->op == Op::kVar && node->number == slot) {
    return value;
  }
  if (!Uses(*node, slot)) {
    return node;
  }
  std::vector<Node*> kids;
  for (Node* kid : node->kids) {
    kids.push_back(Bound(kid, slot, value));
  }
  return New(node->op, node->type, std::move(kids), node->text, node->number);
}

// An `iif` whose parts can be looked at by themselves, its input put where they name it; null: it
// cannot.
Node* Formulas::Choice(Node* node) {
  if (node->op != Op::kCall || node->text != "iif" || node->kids.size() < 3) {
    return nullptr;
  }
  std::vector<Node*> kids = {node->kids[0]};
  for (size_t i = 1; i < node->kids.size(); ++i) {
    if (Uses(*node->kids[i], node->number + 1)) {
      return nullptr;
    }
    kids.push_back(Bound(node->kids[i], node->number, node->kids[0]));
  }
  return New(Op::kCall, node->type, std::move(kids), "iif", node->number);
}

Formula Formulas::Make(Node* node, const std::string& key, const std::vector<const Node*>& needs) {
  auto [known, fresh] = index_.try_emplace(key, static_cast<uint32_t>(atoms_.size()));
  if (fresh) {
    AtomInfo& atom = atoms_.emplace_back();
    atom.node = node;
    atom.needs.push_back(key);
    for (const Node* need : needs) {
      Needs(need, &atom.needs);
    }
  }
  return {bdd_.Variable(known->second)};
}

Formula Formulas::Atom(Node* condition, const std::vector<const Node*>& needs) {
  return Make(condition, "?" + KeyOf(*condition), needs);
}

// ---- conditions of the IR ----

Truth Formulas::Of(const Node* condition) {
  auto* node = const_cast<Node*>(condition);  // shared by what is built of it, never changed
  auto certain = [&](Formula yes) { return Truth{yes, Not(yes)}; };
  switch (node->op) {
    case Op::kLiteral:
      if (node->type.name == "System.Boolean") {
        return certain(node->text == "true" ? Always() : Never());
      }
      break;
    case Op::kEmpty:
      return {};
    case Op::kLet:
      return Of(Bound(node->kids[1], node->number, node->kids[0]));
    case Op::kFits:
      return certain(Fits(node->kids[0], node->text));
    case Op::kOrdered:
      return certain(Atom(node, {node->kids[0], node->kids[1]}));
    case Op::kIsNull:
      return certain(Atom(node, {}));
    case Op::kBinary: {
      const std::string& op = node->text;
      if (op == "and" || op == "or" || op == "xor" || op == "implies") {
        Truth a = Of(node->kids[0]), b = Of(node->kids[1]);
        if (op == "implies") {
          std::swap(a.yes, a.no);
        }
        if (op == "and") {
          return {And(a.yes, b.yes), Or(a.no, b.no)};
        }
        return op == "xor" ? Truth{Or(And(a.yes, b.no), And(a.no, b.yes)),
                                   Or(And(a.yes, b.yes), And(a.no, b.no))}
                           : Truth{Or(a.yes, b.yes), And(a.no, b.no)};
      }
      bool texts = node->kids[0]->type.name == "System.String" &&
                   node->kids[1]->type.name == "System.String";
      if ((op == "=" || op == "!=") && texts) {
        Formula same = Equal(node->kids[0], node->kids[1]);
        Formula other = And(And(Exists(node->kids[0]), Exists(node->kids[1])), Not(same));
        return op == "=" ? Truth{same, other} : Truth{other, same};
      }
      break;
    }
    case Op::kCall:
      if (node->text == "exists" && node->kids.size() == 1) {
        return certain(Exists(node->kids[0]));
      }
      if (node->text == "empty") {
        return certain(Not(Exists(node->kids[0])));
      }
      if (node->text == "not") {
        Truth inner = Of(node->kids[0]);
        return {inner.no, inner.yes};
      }
      if (Node* choice = Choice(node)) {
        Formula holds = Of(choice->kids[1]).yes, not_so = Not(holds);
        Truth a = Of(choice->kids[2]), b = choice->kids.size() > 3 ? Of(choice->kids[3]) : Truth{};
        return {Or(And(holds, a.yes), And(not_so, b.yes)), Or(And(holds, a.no), And(not_so, b.no))};
      }
      if (node->text == "exists" || node->text == "all") {
        return certain(Atom(node, node->text == "exists" ? std::vector<const Node*>{node->kids[0]}
                                                         : std::vector<const Node*>{}));
      }
      break;
    default:
      break;
  }
  std::vector<const Node*> needs;
  if (Propagates(*node)) {
    needs.push_back(node->kids[0]);
  }
  Formula yes = Atom(node, needs);
  return {yes, And(Not(yes), Atom(New(Op::kCall, Boolean(), {node}, "not"), needs))};
}

Formula Formulas::Exists(Node* value) {
  switch (value->op) {
    case Op::kEmpty:
      return Never();
    case Op::kLiteral:
      return value->type.name == "System.String" && value->text.empty() ? Never() : Always();
    case Op::kLet:
      return Exists(Bound(value->kids[1], value->number, value->kids[0]));
    case Op::kBinary:
      if (value->text == "&") {
        return Or(Exists(value->kids[0]), Exists(value->kids[1]));
      }
      if (value->text == "|") {
        return Or(Exists(value->kids[0]), Exists(value->kids[1]));
      }
      break;
    case Op::kKey: {
      Formula all;
      for (Node* part : value->kids) {
        all = And(all, Exists(part));
      }
      return all;
    }
    case Op::kCall:
      if (Node* choice = Choice(value)) {
        Formula holds = Of(choice->kids[1]).yes;
        Formula otherwise = choice->kids.size() > 3 ? Exists(choice->kids[3]) : Never();
        return Or(And(holds, Exists(choice->kids[2])), And(Not(holds), otherwise));
      }
      if (value->text == "combine" && value->kids.size() == 2) {
        return Or(Exists(value->kids[0]), Exists(value->kids[1]));
      }
      if (TakesOne(*value)) {
        return Exists(value->kids[0]);
      }
      break;
    case Op::kLookup: {
      Node* input = value->kids[0];
      auto of = [&](Node* other) {
        return New(Op::kLookup, value->type, {other}, value->text, value->number);
      };
      if (input->op == Op::kLiteral) {
        const ir::Table* table = module_.FindTable(value->text);
        bool otherwise = table != nullptr && table->otherwise == ir::Table::Else::kValue;
        bool row = table != nullptr &&
                   std::any_of(table->rows.begin(), table->rows.end(),
                               [&](const ir::TableRow& r) { return r.from == input->text; });
        return row || otherwise ? Always() : Never();
      }
      if (Node* choice = Choice(input)) {
        Formula holds = Of(choice->kids[1]).yes;
        return Or(And(holds, Exists(of(choice->kids[2]))),
                  And(Not(holds), choice->kids.size() > 3 ? Exists(of(choice->kids[3])) : Never()));
      }
      if (auto [first, second] = Alternatives(*input); first != nullptr) {
        return Or(And(Exists(first), Exists(of(first))),
                  And(Not(Exists(first)), Exists(of(second))));
      }
      // A row has a code, and as a rule a system: what is found in one column is found in all that
      // have no gaps.
      auto texts = value->number == 0 ? std::nullopt : PossibleTexts(module_, *value);
      if (texts && std::none_of(texts->begin(), texts->end(),
                                [](const std::string& text) { return text.empty(); })) {
        return Exists(New(Op::kLookup, value->type, value->kids, value->text, 0));
      }
      break;
    }
    case Op::kText:
      if (IsWholeText(*value)) {
        return Exists(value->kids[0]);
      }
      break;
    default:
      break;
  }
  if (value->type.required && value->op != Op::kText) {
    return Always();
  }
  std::vector<const Node*> needs;
  if (Propagates(*value)) {
    needs.push_back(value->kids[0]);
  }
  return Make(New(Op::kCall, Boolean(), {value}, "exists"), KeyOf(*value), needs);
}

namespace {

// Text without blanks, whatever it is made of: all that a uri asks for.
bool IsSolid(const ir::Module& module, const Node& value) {
  if (value.op == Op::kBinary && value.text == "&") {
    return IsSolid(module, *value.kids[0]) && IsSolid(module, *value.kids[1]);
  }
  if (value.op == Op::kCall && value.text == "uriEscape") {
    return true;
  }
  auto texts = PossibleTexts(module, value);
  return texts && std::all_of(texts->begin(), texts->end(), [](const std::string& text) {
           return text.find_first_of(" \t\r\n") == std::string::npos;
         });
}

}  // namespace

Formula Formulas::Fits(Node* value, const std::string& kind) {
  if (value->op == Op::kEmpty) {
    return Never();
  }
  if (value->op == Op::kLet) {
    return Fits(Bound(value->kids[1], value->number, value->kids[0]), kind);
  }
  if (Node* choice = Choice(value)) {
    Formula holds = Of(choice->kids[1]).yes;
    return Or(And(holds, Fits(choice->kids[2], kind)),
              And(Not(holds), choice->kids.size() > 3 ? Fits(choice->kids[3], kind) : Never()));
  }
  if (auto [first, second] = Alternatives(*value); first != nullptr) {
    return Or(And(Exists(first), Fits(first, kind)), And(Not(Exists(first)), Fits(second, kind)));
  }
  if ((kind == "uri" || kind == "url" || kind == "canonical") && IsSolid(module_, *value)) {
    return Exists(value);
  }
  return Atom(New(Op::kFits, Boolean(), {value}, kind), {value});
}

Formula Formulas::Equal(Node* a, Node* b) {
  if (b->op != Op::kLiteral) {
    std::swap(a, b);
  }
  if (a->op == Op::kLiteral && b->op == Op::kLiteral) {
    return a->text == b->text ? Always() : Never();
  }
  if (b->op != Op::kLiteral) {
    return Make(New(Op::kBinary, Boolean(), {a, b}, "="), "=" + KeyOf(*a) + KeyOf(*b), {a, b});
  }
  if (a->op == Op::kLet) {
    return Equal(Bound(a->kids[1], a->number, a->kids[0]), b);
  }
  if (Node* choice = Choice(a)) {
    Formula holds = Of(choice->kids[1]).yes;
    return Or(And(holds, Equal(choice->kids[2], b)),
              And(Not(holds), choice->kids.size() > 3 ? Equal(choice->kids[3], b) : Never()));
  }
  if (auto [first, second] = Alternatives(*a); first != nullptr) {
    return Or(Equal(first, b), And(Not(Exists(first)), Equal(second, b)));
  }
  if (a->op == Op::kEmpty) {
    return Never();
  }
  if (auto texts = PossibleTexts(module_, *a)) {
    if (std::find(texts->begin(), texts->end(), b->text) == texts->end()) {
      return Never();
    }
    if (texts->size() == 1) {
      return Exists(a);
    }
  }
  // 'Patient/' & id
  if (a->op == Op::kBinary && a->text == "&" && a->kids[0]->op == Op::kLiteral &&
      !b->text.starts_with(a->kids[0]->text)) {
    return Never();
  }
  std::string path = KeyOf(*StripOne(a));
  Formula same = Make(New(Op::kBinary, Boolean(), {a, b}, "="), "=" + path + "'" + b->text, {a});
  AtomInfo& atom = atoms_[bdd_.Top(same.ref)];
  atom.path = path;
  atom.literal = b->text;
  return same;
}

// ---- quantifiers ----

Formula Formulas::Some(const Steps& steps, Formula inner) {
  for (size_t i = steps.size(); i-- > 0;) {
    inner = steps[i].kind == Step::Kind::kIf
                ? And(steps[i].condition, inner)
                : Quantify(steps[i].collection, steps[i].slot, inner, 0);
  }
  return inner;
}

// For some item the condition holds; what does not speak of the item is decided outside.
Formula Formulas::Quantify(Node* collection, int64_t slot, Formula inner, int split) {
  if (inner.never()) {
    return inner;
  }
  if (inner.always()) {
    return Exists(collection);
  }
  std::set<uint32_t> atoms;
  bdd_.Support(inner.ref, &atoms);
  auto outside = std::find_if(atoms.begin(), atoms.end(),
                              [&](uint32_t atom) { return !Uses(*atoms_[atom].node, slot); });
  if (outside != atoms.end() && split < kMaxSplits) {
    Formula yes = Quantify(collection, slot, {bdd_.With(inner.ref, *outside, true)}, split + 1);
    Formula no = Quantify(collection, slot, {bdd_.With(inner.ref, *outside, false)}, split + 1);
    return {bdd_.Ite(bdd_.Variable(*outside), yes.ref, no.ref)};
  }
  int64_t lambda = NewSlots(3);
  Node* condition = Shared(inner, {});
  if (condition == nullptr) {
    return Never();  // full
  }
  Node* body = New(Op::kLet, Boolean(), {Var(lambda, collection->type.name), condition}, "", slot);
  Node* kept = New(Op::kCall,
                   {.name = collection->type.name, .required = false, .max = collection->type.max},
                   {collection, body}, "where", lambda);
  Formula some = Exists(kept);
  if (!some.known()) {
    AtomInfo& atom = atoms_[bdd_.Top(some.ref)];
    atom.collection = collection;
    atom.body = condition;
    atom.slot = slot;
  }
  return some;
}

Formula Formulas::AtLeast(const std::vector<Formula>& which, size_t least) {
  std::vector<Formula> reached(least + 1, Never());  // at least so many of those seen so far
  reached[0] = Always();
  for (const Formula& one : which) {
    for (size_t k = least; k > 0; --k) {
      reached[k] = Or(reached[k], And(reached[k - 1], one));
    }
  }
  return reached[least];
}

}  // namespace weir::conform
