// Conversions toX and convertsToX: one converter per type serves both.
#include <algorithm>
#include <limits>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/text.h"
#include "compiler/ir/interp/units.h"

namespace weir::ir {
namespace {

using Converter = std::optional<Item> (*)(const Item& system);

std::optional<Item> ToBoolean(const Item& item) {
  if (item.As<bool>() != nullptr) {
    return item;
  }
  if (const int64_t* value = item.As<int64_t>()) {
    return *value == 0 || *value == 1 ? std::optional<Item>(Item{*value == 1}) : std::nullopt;
  }
  if (const Decimal* value = item.As<Decimal>()) {
    bool one = Compare(*value, Decimal::FromInteger(1)) == 0;
    return one || value->mantissa == 0 ? std::optional<Item>(Item{one}) : std::nullopt;
  }
  if (const std::string* text = item.As<std::string>()) {
    std::string lower = AsciiLower(*text);
    for (std::string_view yes : {"true", "t", "yes", "y", "1", "1.0"}) {
      if (lower == yes) {
        return Item{true};
      }
    }
    for (std::string_view no : {"false", "f", "no", "n", "0", "0.0"}) {
      if (lower == no) {
        return Item{false};
      }
    }
  }
  return std::nullopt;
}

std::optional<Item> ToInteger(const Item& item) {
  if (item.As<int64_t>() != nullptr) {
    return item;
  }
  if (const bool* value = item.As<bool>()) {
    return Item{static_cast<int64_t>(*value)};
  }
  if (const std::string* text = item.As<std::string>()) {
    auto value = Decimal::Parse(*text);
    auto integer = value && text->find_first_of(".eE") == std::string::npos ? value->ToInteger()
                                                                            : std::nullopt;
    if (integer && *integer <= std::numeric_limits<int32_t>::max() &&
        *integer >= std::numeric_limits<int32_t>::min()) {
      return Item{*integer};
    }
  }
  return std::nullopt;
}

std::optional<Item> ToDecimal(const Item& item) {
  if (item.As<Decimal>() != nullptr) {
    return item;
  }
  if (const int64_t* value = item.As<int64_t>()) {
    return Item{Decimal::FromInteger(*value)};
  }
  if (const bool* value = item.As<bool>()) {
    return Item{Decimal{*value ? 10 : 0, 1}};
  }
  if (const std::string* text = item.As<std::string>();
      text != nullptr && text->find_first_of("eE") == std::string::npos) {
    if (auto value = Decimal::Parse(*text)) {
      return Item{*value};
    }
  }
  return std::nullopt;
}

std::optional<Item> ToStringItem(const Item& item) {
  bool printable = item.As<FhirNode>() == nullptr && item.As<V2Item>() == nullptr &&
                   item.As<TypeInfo>() == nullptr;
  return printable ? std::optional<Item>(Item{ToText(item)}) : std::nullopt;
}

std::optional<Item> Wrap(const std::optional<Temporal>& value) {
  return value ? std::optional<Item>(Item{*value}) : std::nullopt;
}

// HL7 v2 text (YYYYMMDD…) is accepted as well: `PID-7.toDate()` is how maps read it.
std::optional<Temporal> ReadDateTime(const std::string& text) {
  auto iso = Temporal::ParseDateTime(text);
  return iso ? iso : Temporal::ParseHl7(text);
}

std::optional<Item> ToDate(const Item& item) {
  std::optional<Temporal> value;
  if (const Temporal* temporal = item.As<Temporal>();
      temporal != nullptr && temporal->kind != Temporal::Kind::kTime) {
    value = *temporal;
  } else if (const std::string* text = item.As<std::string>()) {
    value = ReadDateTime(*text);
  }
  if (!value) {
    return std::nullopt;
  }
  Temporal date;
  date.kind = Temporal::Kind::kDate;
  date.year = value->year;
  date.month = value->month;
  date.day = value->day;
  date.precision = std::min(value->precision, Temporal::Precision::kDay);
  return Item{date};
}

std::optional<Item> ToDateTime(const Item& item) {
  if (const Temporal* temporal = item.As<Temporal>();
      temporal != nullptr && temporal->kind != Temporal::Kind::kTime) {
    Temporal value = *temporal;
    value.kind = Temporal::Kind::kDateTime;
    return Item{value};
  }
  const std::string* text = item.As<std::string>();
  return text != nullptr ? Wrap(ReadDateTime(*text)) : std::nullopt;
}

std::optional<Item> ToTime(const Item& item) {
  if (const Temporal* temporal = item.As<Temporal>();
      temporal != nullptr && temporal->kind == Temporal::Kind::kTime) {
    return item;
  }
  const std::string* text = item.As<std::string>();
  return text != nullptr ? Wrap(Temporal::ParseTime(*text)) : std::nullopt;
}

std::optional<Item> ToQuantity(const Item& item) {
  if (item.As<Quantity>() != nullptr) {
    return item;
  }
  if (const std::string* text = item.As<std::string>()) {
    auto quantity = ParseQuantity(*text);
    return quantity ? std::optional<Item>(Item{*quantity}) : std::nullopt;
  }
  auto decimal = item.As<Temporal>() == nullptr ? ToDecimal(item) : std::nullopt;
  return decimal ? std::optional<Item>(Item{Quantity{*decimal->As<Decimal>(), "1", false}})
                 : std::nullopt;
}

Items Convert(Evaluator& eval, const Items& input, Converter converter) {
  auto item = eval.SingleSystem(input);
  auto result = item ? converter(*item) : std::nullopt;
  return result ? One(*result) : Items{};
}

Items Converts(Evaluator& eval, const Items& input, Converter converter) {
  auto item = eval.SingleSystem(input);
  return item ? OneBoolean(converter(*item).has_value()) : Items{};
}

Items InUnit(Evaluator& eval, const Node& call, Items quantity) {
  if (call.kids.size() < 2 || quantity.empty()) {
    return quantity;
  }
  auto unit = eval.StringArgument(call, 0);
  const Quantity* value = quantity[0].As<Quantity>();
  if (!unit || value == nullptr) {
    return {};
  }
  // Scaling by a quantity of one target unit keeps the small table of units in one place.
  Quantity target{Decimal::FromInteger(1), *unit, IsCalendarWord(*unit)};
  auto both = InOneUnit(*value, target, true);
  auto amount = both ? Divide(both->left, both->right) : std::nullopt;
  return amount ? One(Item{Quantity{*amount, *unit, target.calendar}}) : Items{};
}

}  // namespace

Items Fn_toBoolean(Evaluator& eval, const Node&, Items input) {
  return Convert(eval, input, ToBoolean);
}
Items Fn_toInteger(Evaluator& eval, const Node&, Items input) {
  return Convert(eval, input, ToInteger);
}
Items Fn_toDecimal(Evaluator& eval, const Node&, Items input) {
  return Convert(eval, input, ToDecimal);
}
Items Fn_toString(Evaluator& eval, const Node&, Items input) {
  return Convert(eval, input, ToStringItem);
}
Items Fn_toDate(Evaluator& eval, const Node&, Items input) { return Convert(eval, input, ToDate); }
Items Fn_toDateTime(Evaluator& eval, const Node&, Items input) {
  return Convert(eval, input, ToDateTime);
}
Items Fn_toTime(Evaluator& eval, const Node&, Items input) { return Convert(eval, input, ToTime); }
Items Fn_toQuantity(Evaluator& eval, const Node& call, Items input) {
  return InUnit(eval, call, Convert(eval, input, ToQuantity));
}
Items Fn_convertsToBoolean(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToBoolean);
}
Items Fn_convertsToInteger(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToInteger);
}
Items Fn_convertsToDecimal(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToDecimal);
}
Items Fn_convertsToString(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToStringItem);
}
Items Fn_convertsToDate(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToDate);
}
Items Fn_convertsToDateTime(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToDateTime);
}
Items Fn_convertsToTime(Evaluator& eval, const Node&, Items input) {
  return Converts(eval, input, ToTime);
}
Items Fn_convertsToQuantity(Evaluator& eval, const Node& call, Items input) {
  auto item = eval.SingleSystem(input);
  return item ? OneBoolean(!InUnit(eval, call, Convert(eval, input, ToQuantity)).empty()) : Items{};
}

}  // namespace weir::ir
