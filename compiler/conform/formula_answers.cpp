// What formulas answer: whether they follow, and how a kernel asks them.
#include <algorithm>

#include "compiler/conform/formula.h"
#include "compiler/conform/node_key.h"

namespace weir::conform {

using ir::Node;
using ir::Op;

namespace {

constexpr size_t kMaxConditionNodes =
    6'000;  // of one condition in a kernel: past it, it would ask more than it writes

}  // namespace

namespace {

// Items that `node` picks out of a collection, first(), #2 and the like, perhaps of those that meet
// a condition.
void PickedFrom(const std::string& collection, Node* node, std::map<std::string, Node*>* picked) {
  if (TakesOne(*node) || node->op == Op::kRepetition) {
    const Node* from = node->kids[0];
    while (from->op == Op::kCall && from->text == "where") {
      from = from->kids[0];
    }
    if (KeyOf(*from) == collection) {
      picked->emplace(KeyOf(*node), node);
    }
  }
  for (Node* kid : node->kids) {
    PickedFrom(collection, kid, picked);
  }
}

}  // namespace

// What atoms say of each other.
Bdd::Ref Formulas::Theory(std::set<uint32_t> atoms) {
  Bdd::Ref all = Bdd::kTrue;
  for (uint32_t some : std::set<uint32_t>(atoms)) {
    if (atoms_[some].collection == nullptr) {
      continue;
    }
    // What holds of one that is picked holds of some.
    std::map<std::string, Node*> picked;
    std::string collection = KeyOf(*atoms_[some].collection);
    for (uint32_t atom : std::set<uint32_t>(atoms)) {
      PickedFrom(collection, atoms_[atom].node, &picked);
    }
    for (const auto& [key, item] : picked) {
      Formula holds = And(Exists(item), Of(Bound(atoms_[some].body, atoms_[some].slot, item)).yes);
      all = bdd_.And(all, bdd_.Ite(holds.ref, bdd_.Variable(some), Bdd::kTrue));
      bdd_.Support(holds.ref, &atoms);
    }
  }
  std::map<std::string_view, std::vector<uint32_t>> equal;
  for (uint32_t atom : atoms) {
    const AtomInfo& info = atoms_[atom];
    for (const std::string& key : info.needs) {
      auto need = index_.find(key);
      if (need != index_.end() && need->second != atom && atoms.contains(need->second)) {
        all = bdd_.And(all, bdd_.Ite(bdd_.Variable(atom), bdd_.Variable(need->second), Bdd::kTrue));
      }
    }
    if (!info.path.empty()) {
      equal[info.path].push_back(atom);
    }
  }
  for (const auto& [path, same] : equal) {
    Bdd::Ref one = Bdd::kFalse,
             none = Bdd::kTrue;  // exactly one of those seen so far, none of them
    for (uint32_t atom : same) {
      one = bdd_.Ite(bdd_.Variable(atom), none, one);
      none = bdd_.Ite(bdd_.Variable(atom), Bdd::kFalse, none);
    }
    all = bdd_.And(all, bdd_.Or(one, none));
  }
  return all;
}

// What holds anyway: of the given only what speaks of the same, else proofs would grow with
// everything a feed requires.
Bdd::Ref Formulas::Known(Formula about, const std::vector<Formula>& given) {
  std::set<uint32_t> atoms;
  bdd_.Support(about.ref, &atoms);
  auto words = [&](const std::set<uint32_t>& of) {
    std::set<std::string_view> out;
    for (uint32_t atom : of) {
      out.insert(atoms_[atom].needs.begin(), atoms_[atom].needs.end());
    }
    return out;
  };
  std::set<std::string_view> spoken = words(atoms);
  Bdd::Ref all = Bdd::kTrue;
  for (const Formula& one : given) {
    std::set<uint32_t> own;
    bdd_.Support(one.ref, &own);
    std::set<std::string_view> its = words(own);
    if (one.never() || std::any_of(its.begin(), its.end(),
                                   [&](std::string_view word) { return spoken.contains(word); })) {
      all = bdd_.And(all, one.ref);
      atoms.insert(own.begin(), own.end());
    }
  }
  return bdd_.And(all, Theory(atoms));
}

bool Formulas::Proved(Formula goal, const std::vector<Formula>& given) {
  if (goal.always()) {
    return !full();
  }
  Bdd::Ref counter = bdd_.And(bdd_.Not(goal.ref), Known(goal, given));
  return counter == Bdd::kFalse && !full();
}

// A sum of products between `least` and `most`, factored by variables (Minato and Morreale). Null:
// false.
Node* Formulas::Cover(Bdd::Ref least, Bdd::Ref most, Bdd::Ref* covered) {
  if (least == Bdd::kFalse) {
    *covered = Bdd::kFalse;
    return nullptr;
  }
  if (most == Bdd::kTrue) {
    *covered = Bdd::kTrue;
    return New(Op::kLiteral, Boolean(), {}, "true");
  }
  uint32_t top = std::min(bdd_.Top(least), bdd_.Top(most));
  auto half = [&](Bdd::Ref f, bool high) {
    return bdd_.Top(f) != top ? f : high ? bdd_.High(f) : bdd_.Low(f);
  };
  Bdd::Ref least_no = half(least, false), least_yes = half(least, true),
           most_no = half(most, false), most_yes = half(most, true);
  Bdd::Ref covered_no, covered_yes, covered_both;
  Node* no = Cover(bdd_.And(least_no, bdd_.Not(most_yes)), most_no, &covered_no);
  Node* yes = Cover(bdd_.And(least_yes, bdd_.Not(most_no)), most_yes, &covered_yes);
  Bdd::Ref rest =
      bdd_.Or(bdd_.And(least_no, bdd_.Not(covered_no)), bdd_.And(least_yes, bdd_.Not(covered_yes)));
  Node* both = Cover(rest, bdd_.And(most_no, most_yes), &covered_both);
  *covered = bdd_.Or(covered_both, bdd_.Ite(bdd_.Variable(top), covered_yes, covered_no));
  Node* atom = atoms_[top].node;
  auto and_also = [&](Node* condition, Node* more) {
    bool always = more->op == Op::kLiteral && more->text == "true";
    return always ? condition : New(Op::kBinary, Boolean(), {condition, more}, "and");
  };
  Node* sum = nullptr;
  auto add = [&](Node* product) {
    sum = sum == nullptr       ? product
          : product == nullptr ? sum
                               : New(Op::kBinary, Boolean(), {sum, product}, "or");
  };
  add(yes == nullptr ? nullptr : and_also(atom, yes));
  if (no != nullptr) {
    bool exists = atom->op == Op::kCall && atom->text == "exists" && atom->kids.size() == 1;
    bool sure = exists || atom->op == Op::kFits || atom->op == Op::kOrdered ||
                atom->op == Op::kIsNull ||
                (atom->op == Op::kCall && (atom->text == "all" || atom->text == "exists"));
    Node* negated = exists ? New(Op::kCall, Boolean(), atom->kids, "empty")
                    : sure ? New(Op::kCall, Boolean(), {atom}, "not")
                           : New(Op::kCall, Boolean(),
                                 {New(Op::kLiteral, Boolean(), {}, "true"), atom,
                                  New(Op::kLiteral, Boolean(), {}, "false"),
                                  New(Op::kLiteral, Boolean(), {}, "true")},
                                 "iif", NewSlots(3));
    add(and_also(negated, no));
  }
  add(both);
  return sum;
}

Node* Formulas::Tree(const Node* node, std::map<int64_t, int64_t>* names, size_t* count) {
  if (++*count > kMaxConditionNodes) {
    return nullptr;
  }
  int64_t number = node->number;
  std::vector<std::pair<int64_t, std::optional<int64_t>>> outer;
  auto bind = [&](int64_t width) {
    number = NewSlots(width);
    for (int64_t i = 0; i < width; ++i) {
      auto known = names->find(node->number + i);
      outer.emplace_back(node->number + i,
                         known == names->end() ? std::nullopt : std::optional(known->second));
      (*names)[node->number + i] = number + i;
    }
  };
  std::vector<Node*> kids;
  for (size_t i = 0; i < node->kids.size(); ++i) {
    if (i == 1 && node->op == Op::kLet) {
      bind(1);
    } else if (i == 1 && BindsItems(*node)) {
      bind(3);
    }
    kids.push_back(Tree(node->kids[i], names, count));
    if (kids.back() == nullptr) {
      return nullptr;
    }
  }
  for (auto& [slot, before] : outer) {
    if (before) {
      (*names)[slot] = *before;
    } else {
      names->erase(slot);
    }
  }
  if (node->op == Op::kVar) {
    auto known = names->find(number);
    number = known == names->end() ? number : known->second;
  }
  return module_.New(node->op, node->type, std::move(kids), node->text, number, node->span);
}

Node* Formulas::Condition(Formula formula, const std::vector<Formula>& given) {
  Node* shared = Shared(formula, given);
  *slots_ = first_slot_;
  std::map<int64_t, int64_t> names;
  size_t count = 0;
  return shared == nullptr ? nullptr : Tree(shared, &names, &count);
}

// Something that must be there for the formula to hold, and that several of its atoms speak of;
// null: nothing.
Node* Formulas::CommonNeed(Formula formula) {
  std::set<uint32_t> atoms;
  bdd_.Support(formula.ref, &atoms);
  if (atoms.size() < 3) {
    return nullptr;
  }
  const Node* deepest = nullptr;
  size_t longest = 0;
  auto consider = [&](auto&& self, const Node* node) -> void {
    node = StripOne(node);
    std::string key = KeyOf(*node);
    bool common = std::all_of(atoms.begin(), atoms.end(), [&](uint32_t atom) {
      const auto& needs = atoms_[atom].needs;
      return std::find(needs.begin(), needs.end(), key) != needs.end();
    });
    if (common && key.size() > longest && node->op != Op::kVar && !node->type.required &&
        index_.find(key) == index_.end()) {
      deepest = node;
      longest = key.size();
    }
    if (Propagates(*node)) {
      self(self, node->kids[0]);
    }
  };
  const Node* atom = atoms_[*atoms.begin()].node;
  if (!atom->kids.empty()) {
    consider(consider, atom->kids[0]);
  }
  if (deepest == nullptr) {
    return nullptr;
  }
  // Without it no atom holds, and neither may the formula.
  Bdd::Ref rest = formula.ref;
  for (uint32_t one : atoms) {
    rest = bdd_.With(rest, one, false);
  }
  return rest == Bdd::kFalse ? New(Op::kCall, Boolean(), {const_cast<Node*>(deepest)}, "exists")
                             : nullptr;
}

Node* Formulas::Shared(Formula formula, const std::vector<Formula>& given) {
  Bdd::Ref known = Known(formula, given);
  Bdd::Ref covered;
  // The condition, or its opposite denied, whichever is shorter.
  Node* yes = Cover(bdd_.And(formula.ref, known), bdd_.Or(formula.ref, bdd_.Not(known)), &covered);
  Bdd::Ref opposite = bdd_.Not(formula.ref);
  Node* no = Cover(bdd_.And(opposite, known), bdd_.Or(opposite, bdd_.Not(known)), &covered);
  if (full()) {
    return nullptr;
  }
  auto size = [](auto&& self, const Node* node) -> size_t {
    size_t total = 1;
    for (const Node* kid : node->kids) {
      total += self(self, kid);
    }
    return total;
  };
  auto literal = [&](bool value) {
    return New(Op::kLiteral, Boolean(), {}, value ? "true" : "false");
  };
  if (yes == nullptr || no == nullptr) {
    return literal(yes != nullptr);
  }
  if (Node* first = CommonNeed(formula); first != nullptr && yes->op == Op::kBinary) {
    // Most of what a map asks for is not there, and then the rest need not be asked.
    return New(Op::kCall, Boolean(), {literal(true), first, yes, literal(false)}, "iif",
               NewSlots(3));
  }
  if (size(size, no) + 3 < size(size, yes)) {
    yes = New(Op::kCall, Boolean(), {literal(true), no, literal(false), literal(true)}, "iif",
              NewSlots(3));
  }
  return yes;
}

}  // namespace weir::conform
