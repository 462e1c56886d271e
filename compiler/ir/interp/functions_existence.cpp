// Existence, subsets and counts.
#include <algorithm>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/units.h"

namespace weir::ir {
namespace {

// allTrue and its kin want Booleans only; `stop` is the value that settles the answer.
Items Quantify(Evaluator& eval, const Items& input, bool stop, bool answer_at_stop) {
  for (const Item& item : input) {
    auto system = ToSystem(item);
    const bool* value = system ? system->As<bool>() : nullptr;
    if (value == nullptr) {
      eval.Fail("a collection of Booleans is expected");
      return {};
    }
    if (*value == stop) {
      return OneBoolean(answer_at_stop);
    }
  }
  return OneBoolean(!answer_at_stop);
}

bool Subset(Evaluator& eval, const Items& inner, const Items& outer) {
  return std::all_of(inner.begin(), inner.end(),
                     [&](const Item& item) { return eval.Contains(outer, item); });
}

}  // namespace

Items Fn_empty(Evaluator&, const Node&, Items input) { return OneBoolean(input.empty()); }

Items Fn_exists(Evaluator& eval, const Node& call, Items input) {
  if (call.kids.size() > 1) {
    return OneBoolean(!Fn_where(eval, call, std::move(input)).empty());
  }
  return OneBoolean(!input.empty());
}

Items Fn_all(Evaluator& eval, const Node& call, Items input) {
  for (size_t i = 0; i < input.size(); ++i) {
    auto holds = eval.SingleBoolean(eval.EvalLambda(call, *call.kids[1], input[i], i));
    if (!holds || !*holds) {
      return OneBoolean(false);
    }
  }
  return OneBoolean(true);
}

Items Fn_allTrue(Evaluator& eval, const Node&, Items input) {
  return Quantify(eval, input, false, false);
}
Items Fn_anyTrue(Evaluator& eval, const Node&, Items input) {
  return Quantify(eval, input, true, true);
}
Items Fn_allFalse(Evaluator& eval, const Node&, Items input) {
  return Quantify(eval, input, true, false);
}
Items Fn_anyFalse(Evaluator& eval, const Node&, Items input) {
  return Quantify(eval, input, false, true);
}

Items Fn_subsetOf(Evaluator& eval, const Node& call, Items input) {
  return OneBoolean(Subset(eval, input, eval.EvalKid(call, 1)));
}
Items Fn_supersetOf(Evaluator& eval, const Node& call, Items input) {
  return OneBoolean(Subset(eval, eval.EvalKid(call, 1), input));
}

Items Fn_count(Evaluator&, const Node&, Items input) {
  return OneInteger(static_cast<int64_t>(input.size()));
}

Items Fn_distinct(Evaluator& eval, const Node&, Items input) {
  Items result;
  for (Item& item : input) {
    if (!eval.Contains(result, item)) {
      result.push_back(std::move(item));
    }
  }
  return result;
}

Items Fn_isDistinct(Evaluator& eval, const Node& call, Items input) {
  size_t before = input.size();
  return OneBoolean(Fn_distinct(eval, call, std::move(input)).size() == before);
}

Items Fn_not(Evaluator& eval, const Node&, Items input) {
  auto value = eval.SingleBoolean(input);
  return value ? OneBoolean(!*value) : Items{};
}

Items Fn_hasValue(Evaluator&, const Node&, Items input) {
  if (input.size() != 1) {
    return OneBoolean(false);
  }
  const FhirNode* node = input[0].As<FhirNode>();
  return OneBoolean(node == nullptr ||
                    (node->value != nullptr && node->value->kind != Json::Kind::kObject));
}

Items Fn_comparable(Evaluator& eval, const Node& call, Items input) {
  auto left = eval.SingleSystem(input);
  auto right = eval.SingleSystem(eval.EvalKid(call, 1));
  if (!left || !right) {
    return {};
  }
  const Quantity* a = left->As<Quantity>();
  const Quantity* b = right->As<Quantity>();
  if (a == nullptr || b == nullptr) {
    eval.Fail("comparable() needs quantities");
    return {};
  }
  return OneBoolean(Comparable(*a, *b));
}

}  // namespace weir::ir
