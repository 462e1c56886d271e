// lowBoundary, highBoundary, precision.
#include "compiler/ir/interp/eval.h"

namespace weir::ir {
namespace {

constexpr int64_t kDefaultDigits = 8;  // of a decimal's boundary

// Half a unit of the last written digit away, then outward to the asked digits.
std::optional<Decimal> DecimalBoundary(const Decimal& value, bool high, int64_t digits) {
  if (digits < 0 || digits > Decimal::kMaxScale) {
    return std::nullopt;
  }
  auto wide = value.Rescale(value.scale + 1);
  auto moved = wide ? Add(*wide, Decimal{high ? 5 : -5, value.scale + 1}) : std::nullopt;
  return moved ? moved->RoundTo(static_cast<int>(digits),
                                high ? Decimal::Round::kCeiling : Decimal::Round::kFloor)
               : std::nullopt;
}

Items BoundaryOf(Evaluator& eval, const Node& call, const Items& input, bool high) {
  auto item = eval.SingleSystem(input);
  std::optional<int64_t> digits;
  if (call.kids.size() > 1) {
    digits = eval.SingleInteger(eval.EvalKid(call, 1));
    if (!digits) {
      return {};
    }
  }
  if (!item) {
    return {};
  }
  if (const Temporal* temporal = item->As<Temporal>()) {
    auto result = Boundary(*temporal, high, digits);
    return result ? One(Item{*result}) : Items{};
  }
  if (const Quantity* quantity = item->As<Quantity>()) {
    auto value = DecimalBoundary(quantity->value, high, digits.value_or(kDefaultDigits));
    return value ? One(Item{Quantity{*value, quantity->unit, quantity->calendar}}) : Items{};
  }
  const Decimal* decimal = item->As<Decimal>();
  const int64_t* integer = item->As<int64_t>();
  if (decimal == nullptr && integer == nullptr) {
    eval.Fail("a boundary needs a number, a quantity, a date or a time");
    return {};
  }
  auto value = DecimalBoundary(decimal != nullptr ? *decimal : Decimal::FromInteger(*integer), high,
                               digits.value_or(kDefaultDigits));
  return value ? One(Item{*value}) : Items{};
}

}  // namespace

Items Fn_lowBoundary(Evaluator& eval, const Node& call, Items input) {
  return BoundaryOf(eval, call, input, false);
}
Items Fn_highBoundary(Evaluator& eval, const Node& call, Items input) {
  return BoundaryOf(eval, call, input, true);
}

Items Fn_precision(Evaluator& eval, const Node&, Items input) {
  auto item = eval.SingleSystem(input);
  if (!item) {
    return {};
  }
  if (const Temporal* temporal = item->As<Temporal>()) {
    return OneInteger(temporal->PrecisionDigits());
  }
  if (const Decimal* decimal = item->As<Decimal>()) {
    return OneInteger(decimal->scale);
  }
  if (item->As<int64_t>() != nullptr) {
    return OneInteger(0);
  }
  eval.Fail("precision() needs a number, a date or a time");
  return {};
}

namespace {
Items Clock(Evaluator& eval, Temporal::Kind kind) {
  auto now = Temporal::ParseDateTime(eval.options().now);
  if (!now) {
    eval.Fail("the clock given is malformed");
    return {};
  }
  now->kind = kind;
  if (kind == Temporal::Kind::kDate) {
    now->precision = Temporal::Precision::kDay;
  }
  if (kind != Temporal::Kind::kDateTime) {
    now->offset_minutes.reset();
    now->zulu = false;
  }
  return One(Item{*now});
}
}  // namespace

Items Fn_now(Evaluator& eval, const Node&, Items) { return Clock(eval, Temporal::Kind::kDateTime); }
Items Fn_today(Evaluator& eval, const Node&, Items) { return Clock(eval, Temporal::Kind::kDate); }
Items Fn_timeOfDay(Evaluator& eval, const Node&, Items) {
  return Clock(eval, Temporal::Kind::kTime);
}

}  // namespace weir::ir
