// What conditions prove of each other (conform/formula.h): whether two exclude one another, and whether something holds
// whatever the message says, with the feed's `require` and the map's own conditions as given.
#include <algorithm>

#include "compiler/check/generator.h"

namespace weir::check {

using conform::Formula;
using ir::Node;
using ir::Op;

bool Generator::Disjoint(const Node* a, const Node* b) {
  if (a == nullptr || b == nullptr) {
    return false;
  }
  conform::Formulas& f = written_.formulas();
  f.Begin();
  bool disjoint = f.Proved(f.Not(f.And(f.Of(a).yes, f.Of(b).yes)), {});
  f.Drop();
  return disjoint;
}

bool Generator::Proved(const Node* goal) {
  if (goal == nullptr) {
    return true;
  }
  conform::Formulas& f = written_.formulas();
  f.Begin();
  std::vector<Formula> given;
  for (const Node* assumption : assumptions_) {
    given.push_back(f.Of(assumption).yes);
  }
  bool proved = f.Proved(f.Of(goal).yes, given);
  f.Drop();
  return proved;
}

// Part by part: a key is there when its parts are.
bool Generator::KeyProved(const Node* key) {
  return std::all_of(key->kids.begin(), key->kids.end(), [this](const Node* part) {
    return Proved(Exists(part)) || (part->op == Op::kKey && KeyProved(part));
  });
}

}  // namespace weir::check
