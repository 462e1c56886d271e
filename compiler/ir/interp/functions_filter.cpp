// Filtering, projection, subsetting, combining, aggregates and order.
#include <algorithm>

#include "compiler/ir/interp/eval.h"

namespace weir::ir {

Items Fn_where(Evaluator& eval, const Node& call, Items input) {
  Items result;
  for (size_t i = 0; i < input.size() && !eval.failed(); ++i) {
    auto holds = eval.SingleBoolean(eval.EvalLambda(call, *call.kids[1], input[i], i));
    if (holds && *holds) {
      result.push_back(input[i]);
    }
  }
  return result;
}

Items Fn_select(Evaluator& eval, const Node& call, Items input) {
  Items result;
  for (size_t i = 0; i < input.size() && !eval.failed(); ++i) {
    Items more = eval.EvalLambda(call, *call.kids[1], input[i], i);
    result.insert(result.end(), more.begin(), more.end());
    if (result.size() > eval.options().max_items) {
      eval.Limit("collection too large");
    }
  }
  return result;
}

// Breadth first; an item equal to one already found is not followed again, which is what ends the
// walk.
Items Fn_repeat(Evaluator& eval, const Node& call, Items input) {
  Items found;
  Items round = std::move(input);
  while (!round.empty() && !eval.failed()) {
    Items next;
    for (Item& item : Fn_select(eval, call, std::move(round))) {
      if (!eval.Contains(found, item)) {
        found.push_back(item);
        next.push_back(std::move(item));
      }
    }
    round = std::move(next);
    if (found.size() > eval.options().max_items) {
      eval.Limit("collection too large");
    }
  }
  return found;
}

Items Fn_ofType(Evaluator& eval, const Node& call, Items input) {
  auto type = eval.StringArgument(call, 0);
  Items result;
  for (const Item& item : input) {
    if (type && eval.IsType(item, *type, true)) {
      result.push_back(item);
    }
  }
  return result;
}

Items Fn_single(Evaluator& eval, const Node&, Items input) {
  eval.Single(input);
  return input;
}

Items Fn_first(Evaluator&, const Node&, Items input) {
  input.resize(std::min<size_t>(input.size(), 1));
  return input;
}

Items Fn_last(Evaluator&, const Node&, Items input) {
  return input.empty() ? input : One(std::move(input.back()));
}

namespace {
Items Skip(Items input, int64_t count) {
  count = std::clamp<int64_t>(count, 0, static_cast<int64_t>(input.size()));
  input.erase(input.begin(), input.begin() + count);
  return input;
}
}  // namespace

Items Fn_tail(Evaluator&, const Node&, Items input) { return Skip(std::move(input), 1); }

Items Fn_skip(Evaluator& eval, const Node& call, Items input) {
  auto count = eval.SingleInteger(eval.EvalKid(call, 1));
  return count ? Skip(std::move(input), *count) : Items{};
}

Items Fn_take(Evaluator& eval, const Node& call, Items input) {
  auto count = eval.SingleInteger(eval.EvalKid(call, 1));
  if (!count) {
    return {};
  }
  input.resize(
      static_cast<size_t>(std::clamp<int64_t>(*count, 0, static_cast<int64_t>(input.size()))));
  return input;
}

Items Fn_intersect(Evaluator& eval, const Node& call, Items input) {
  Items other = eval.EvalKid(call, 1), result;
  for (const Item& item : input) {
    if (eval.Contains(other, item) && !eval.Contains(result, item)) {
      result.push_back(item);
    }
  }
  return result;
}

Items Fn_exclude(Evaluator& eval, const Node& call, Items input) {
  Items other = eval.EvalKid(call, 1), result;
  for (const Item& item : input) {
    if (!eval.Contains(other, item)) {
      result.push_back(item);
    }
  }
  return result;
}

Items Fn_combine(Evaluator& eval, const Node& call, Items input) {
  Items other = eval.EvalKid(call, 1);
  input.insert(input.end(), other.begin(), other.end());
  return input;
}

Items Fn_union(Evaluator& eval, const Node& call, Items input) {
  return Fn_distinct(eval, call, Fn_combine(eval, call, std::move(input)));
}

Items Fn_aggregate(Evaluator& eval, const Node& call, Items input) {
  Items total = eval.EvalKid(call, 2);
  for (size_t i = 0; i < input.size() && !eval.failed(); ++i) {
    eval.SetSlot(call.number + 2, total);
    total = eval.EvalLambda(call, *call.kids[1], input[i], i);
  }
  return total;
}

// Keys in order; `-key` sorts downwards for every type. An item without a key comes first going up.
Items Fn_sort(Evaluator& eval, const Node& call, Items input) {
  struct Row {
    Item item;
    std::vector<std::optional<Item>> keys;
  };
  std::vector<bool> down;
  std::vector<Row> rows;
  for (size_t k = 1; k < call.kids.size(); ++k) {
    down.push_back(call.kids[k]->op == Op::kUnary && call.kids[k]->text == "-");
  }
  down.resize(std::max<size_t>(down.size(), 1), false);
  auto before = [&](const Row& a, const Row& b) {
    for (size_t k = 0; k < a.keys.size(); ++k) {
      int order = 0;
      if (!a.keys[k] || !b.keys[k]) {
        order = (a.keys[k] ? 1 : 0) - (b.keys[k] ? 1 : 0);
      } else {
        order = eval.CompareItems(*a.keys[k], *b.keys[k]).value_or(0);
      }
      if (order != 0) {
        return down[k] ? order > 0 : order < 0;
      }
    }
    return false;
  };
  for (size_t i = 0; i < input.size() && !eval.failed(); ++i) {
    Row row{input[i], {}};
    for (size_t k = 1; k < call.kids.size(); ++k) {
      const Node* key = down[k - 1] ? call.kids[k]->kids[0] : call.kids[k];
      row.keys.push_back(eval.SingleSystem(eval.EvalLambda(call, *key, input[i], i)));
    }
    if (call.kids.size() == 1) {
      row.keys.push_back(ToSystem(input[i]));
    }
    // Insertion keeps equal rows in order and bears keys whose order is unknown, which std::sort
    // does not.
    auto at = std::upper_bound(rows.begin(), rows.end(), row, before);
    rows.insert(at, std::move(row));
  }
  Items result;
  for (Row& row : rows) {
    result.push_back(std::move(row.item));
  }
  return result;
}

Items Fn_iif(Evaluator& eval, const Node& call, Items input) {
  if (eval.Single(input) != nullptr) {
    eval.SetSlot(call.number, input);
    eval.SetSlot(call.number + 1, OneInteger(0));
  }
  if (eval.failed()) {
    return {};
  }
  auto condition = eval.SingleSystem(eval.EvalKid(call, 1));
  const bool* value = condition ? condition->As<bool>() : nullptr;
  if (condition && value == nullptr) {
    eval.Fail("the condition of iif() is not a Boolean");
    return {};
  }
  return eval.EvalKid(call, value != nullptr && *value ? 2 : 3);
}

Items Fn_trace(Evaluator&, const Node&, Items input) { return input; }

namespace {
Items Extreme(Evaluator& eval, const Items& input, int wanted) {
  Item best;
  for (size_t i = 0; i < input.size(); ++i) {
    auto item = ToSystem(input[i]);
    if (!item) {
      return {};
    }
    if (i == 0) {
      best = *item;
      continue;
    }
    auto order = eval.CompareItems(*item, best);
    if (!order) {
      return {};
    }
    best = *order == wanted ? *item : best;
  }
  return input.empty() ? Items{} : One(best);
}
}  // namespace

Items Fn_min(Evaluator& eval, const Node&, Items input) { return Extreme(eval, input, -1); }
Items Fn_max(Evaluator& eval, const Node&, Items input) { return Extreme(eval, input, 1); }

}  // namespace weir::ir
