// How many elements there are: a sum of what is certain, of conditions, and of counts at run time.
#include <algorithm>

#include "compiler/conform/evaluation.h"

namespace weir::conform {
using ir::Node;
using ir::Op;

Out Evaluation::CountOf(const Out& input) {
  Out out;
  out.kind = Out::Kind::kCount;
  if (input.kind != Out::Kind::kPieces) {
    out.count.ones.push_back(Exists(input));
    return out;
  }
  if (input.distinct && !input.one) {
    return Unknown("how many different ones there are");
  }
  if (input.one) {
    out.count.ones.push_back(Exists(input));
    return out;
  }
  for (const Piece& piece : input.pieces) {
    auto is_each = [](const Step& step) { return step.kind == Step::Kind::kEach; };
    auto each = std::find_if(piece.steps.begin(), piece.steps.end(), is_each);
    if (each == piece.steps.end()) {
      out.count.ones.push_back(w_.Exists(piece));
      continue;
    }
    if (std::any_of(std::next(each), piece.steps.end(), is_each)) {
      return Unknown("how many there are of several in several");
    }
    Piece inner = piece;
    inner.steps.erase(inner.steps.begin(), inner.steps.begin() + (each - piece.steps.begin()) + 1);
    Formula there = w_.Exists(inner), around;
    if (there.never()) {
      continue;
    }
    for (auto step = piece.steps.begin(); step != each; ++step) {
      around = f_.And(around, step->condition);
    }
    Node *items = each->collection, *condition = f_.Part(there), *outside = f_.Part(around);
    if (condition == nullptr || outside == nullptr) {
      return Unknown("more cases than can be told apart");
    }
    if (!there.always()) {
      int64_t lambda = f_.NewSlots(3);
      Node* body = f_.New(Op::kLet, Boolean(), {f_.Var(lambda, items->type.name), condition}, "",
                          each->slot);
      items =
          f_.New(Op::kCall, {.name = items->type.name, .required = false, .max = ir::Max::kMany},
                 {items, body}, "where", lambda);
    }
    ir::Type integer = {.name = "System.Integer", .required = true, .max = ir::Max::kOne};
    Node* number = f_.New(Op::kCall, integer, {items}, "count");
    if (!around.always()) {
      number = f_.New(Op::kCall, integer,
                      {f_.Part(Always()), outside, number, f_.New(Op::kLiteral, integer, {}, "0")},
                      "iif", f_.NewSlots(3));
    }
    out.count.sums.emplace_back(number, f_.And(around, f_.Exists(items)));
  }
  return out;
}

Formula Evaluation::AtLeast(const Count& count, int64_t least) {
  least -= count.base;
  std::vector<Formula> open;
  for (const Formula& one : count.ones) {
    if (one.known()) {
      least -= one.always() ? 1 : 0;
    } else {
      open.push_back(one);
    }
  }
  if (least <= 0) {
    return Always();
  }
  if (least == 1) {
    Formula any = Never();
    for (const Formula& one : open) {
      any = f_.Or(any, one);
    }
    for (const auto& sum : count.sums) {
      any = f_.Or(any, sum.second);
    }
    return any;
  }
  constexpr size_t kMostSpelledOut = 8;  // lines to one element: more are counted at run time
  if (count.sums.empty() &&
      (open.size() < static_cast<size_t>(least) || open.size() <= kMostSpelledOut)) {
    return open.size() < static_cast<size_t>(least) ? Never()
                                                    : f_.AtLeast(open, static_cast<size_t>(least));
  }
  ir::Type integer = {.name = "System.Integer", .required = true, .max = ir::Max::kOne};
  Node* total = nullptr;
  auto add = [&](Node* number) {
    total = total == nullptr ? number : f_.New(Op::kBinary, integer, {total, number}, "+");
  };
  for (const Formula& one : open) {
    add(f_.New(Op::kCall, integer,
               {f_.Part(Always()), f_.Part(one), f_.New(Op::kLiteral, integer, {}, "1"),
                f_.New(Op::kLiteral, integer, {}, "0")},
               "iif", f_.NewSlots(3)));
  }
  for (const auto& sum : count.sums) {
    add(sum.first);
  }
  return f_.Atom(f_.New(Op::kBinary, Boolean(),
                        {total, f_.New(Op::kLiteral, integer, {}, std::to_string(least))}, ">="),
                 {});
}

Out Evaluation::CompareCount(const Count& count, const std::string& op, int64_t with) {
  if (op == ">" || op == "<=") {
    Formula more = AtLeast(count, with + 1);
    return Certain(op == ">" ? more : f_.Not(more));
  }
  Formula least = AtLeast(count, with);
  if (op == ">=" || op == "<") {
    return Certain(op == ">=" ? least : f_.Not(least));
  }
  Formula same = f_.And(least, f_.Not(AtLeast(count, with + 1)));
  return Certain(op == "=" ? same : f_.Not(same));
}

}  // namespace weir::conform
