// Math. Roots, exponentials and logarithms are computed in extended precision and rounded to
// kTranscendentalDigits fraction digits, so that engines with other libraries agree; powers by
// integers are exact.
#include <cmath>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/units.h"

namespace weir::ir {
namespace {

constexpr int kTranscendentalDigits = 8;

std::optional<Decimal> Number(Evaluator& eval, const Items& input) {
  auto item = eval.SingleSystem(input);
  if (!item) {
    return std::nullopt;
  }
  if (const int64_t* integer = item->As<int64_t>()) {
    return Decimal::FromInteger(*integer);
  }
  if (const Decimal* decimal = item->As<Decimal>()) {
    return *decimal;
  }
  eval.Fail("a number is expected");
  return std::nullopt;
}

Items Real(long double value) {
  auto decimal = Decimal::FromDouble(value, kTranscendentalDigits);
  return decimal ? One(Item{*decimal}) : Items{};
}

Items Whole(Evaluator& eval, const Items& input, Decimal::Round mode) {
  auto number = Number(eval, input);
  auto rounded = number ? number->RoundTo(0, mode) : std::nullopt;
  auto integer = rounded ? rounded->ToInteger() : std::nullopt;
  return integer ? OneInteger(*integer) : Items{};
}

}  // namespace

Items Fn_abs(Evaluator& eval, const Node&, Items input) {
  auto item = eval.SingleSystem(input);
  if (!item) {
    return {};
  }
  if (const Quantity* quantity = item->As<Quantity>()) {
    Quantity result = *quantity;
    result.value.mantissa =
        result.value.mantissa < 0 ? -result.value.mantissa : result.value.mantissa;
    return One(Item{result});
  }
  auto number = Number(eval, input);
  if (!number) {
    return {};
  }
  if (const int64_t* integer = item->As<int64_t>()) {
    return OneInteger(*integer < 0 ? -*integer : *integer);
  }
  return One(
      Item{Decimal{number->mantissa < 0 ? -number->mantissa : number->mantissa, number->scale}});
}

Items Fn_ceiling(Evaluator& eval, const Node&, Items input) {
  return Whole(eval, input, Decimal::Round::kCeiling);
}
Items Fn_floor(Evaluator& eval, const Node&, Items input) {
  return Whole(eval, input, Decimal::Round::kFloor);
}
Items Fn_truncate(Evaluator& eval, const Node&, Items input) {
  return Whole(eval, input, Decimal::Round::kTruncate);
}

Items Fn_round(Evaluator& eval, const Node& call, Items input) {
  auto number = Number(eval, input);
  auto digits =
      call.kids.size() > 1 ? eval.SingleInteger(eval.EvalKid(call, 1)) : std::optional<int64_t>(0);
  if (!number || !digits) {
    return {};
  }
  if (*digits < 0 || *digits > Decimal::kMaxScale) {
    eval.Fail("precision out of range");
    return {};
  }
  auto rounded = number->scale <= *digits
                     ? number
                     : number->RoundTo(static_cast<int>(*digits), Decimal::Round::kHalfAway);
  return rounded ? One(Item{*rounded}) : Items{};
}

Items Fn_sqrt(Evaluator& eval, const Node&, Items input) {
  auto number = Number(eval, input);
  return number && number->mantissa >= 0 ? Real(std::sqrt(number->ToDouble())) : Items{};
}

Items Fn_exp(Evaluator& eval, const Node&, Items input) {
  auto number = Number(eval, input);
  return number ? Real(std::exp(number->ToDouble())) : Items{};
}

Items Fn_ln(Evaluator& eval, const Node&, Items input) {
  auto number = Number(eval, input);
  return number && number->mantissa > 0 ? Real(std::log(number->ToDouble())) : Items{};
}

Items Fn_log(Evaluator& eval, const Node& call, Items input) {
  auto number = Number(eval, input), base = Number(eval, eval.EvalKid(call, 1));
  if (!number || !base || number->mantissa <= 0 || base->mantissa <= 0) {
    return {};
  }
  return Real(std::log(number->ToDouble()) / std::log(base->ToDouble()));
}

Items Fn_power(Evaluator& eval, const Node& call, Items input) {
  auto number = Number(eval, input), exponent = Number(eval, eval.EvalKid(call, 1));
  if (!number || !exponent) {
    return {};
  }
  auto whole = exponent->ToInteger();
  if (whole && *whole >= 0 && *whole <= 1000) {
    std::optional<Decimal> result = Decimal::FromInteger(1);
    for (int64_t i = 0; i < *whole && result; ++i) {
      result = Multiply(*result, *number);
    }
    if (!result) {
      return {};
    }
    bool integers = eval.SingleSystem(input)->As<int64_t>() != nullptr;
    auto integer = integers ? result->ToInteger() : std::nullopt;
    return integer ? OneInteger(*integer) : One(Item{*result});
  }
  return Real(std::pow(number->ToDouble(), exponent->ToDouble()));
}

Items Fn_sum(Evaluator& eval, const Node&, Items input) {
  Items total;
  for (const Item& item : input) {
    auto system = ToSystem(item);
    if (!system) {
      return {};
    }
    if (total.empty()) {
      total.push_back(*system);
      continue;
    }
    const Quantity* a = total[0].As<Quantity>();
    const Quantity* b = system->As<Quantity>();
    if (a != nullptr && b != nullptr) {
      auto both = InOneUnit(*a, *b, true);
      auto sum = both ? Add(both->left, both->right) : std::nullopt;
      if (!sum) {
        return {};
      }
      total = One(Item{Quantity{*sum, std::string(both->unit), a->calendar && b->calendar}});
      continue;
    }
    const int64_t* x = total[0].As<int64_t>();
    const int64_t* y = system->As<int64_t>();
    if (x != nullptr && y != nullptr) {
      total = OneInteger(*x + *y);
      continue;
    }
    auto p = Number(eval, total), q = Number(eval, One(*system));
    auto sum = p && q ? Add(*p, *q) : std::nullopt;
    if (!sum) {
      return {};
    }
    total = One(Item{*sum});
  }
  return total;
}

Items Fn_avg(Evaluator& eval, const Node& call, Items input) {
  auto count = Decimal::FromInteger(static_cast<int64_t>(input.size()));
  Items total = Fn_sum(eval, call, std::move(input));
  if (total.empty()) {
    return {};
  }
  if (const Quantity* quantity = total[0].As<Quantity>()) {
    auto mean = Divide(quantity->value, count);
    return mean ? One(Item{Quantity{*mean, quantity->unit, quantity->calendar}}) : Items{};
  }
  auto number = Number(eval, total);
  auto mean = number ? Divide(*number, count) : std::nullopt;
  return mean ? One(Item{*mean}) : Items{};
}

}  // namespace weir::ir
