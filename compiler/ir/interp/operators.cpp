// FHIRPath operators: equality, equivalence, order, logic, arithmetic, collections.
#include <algorithm>
#include <limits>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/text.h"
#include "compiler/ir/interp/units.h"

namespace weir::ir {
namespace {

// Integers widen to decimals, numbers to quantities of unit '1', so that pairs meet in one type.
std::optional<Decimal> AsDecimal(const Item& item) {
  if (const int64_t* integer = item.As<int64_t>()) {
    return Decimal::FromInteger(*integer);
  }
  const Decimal* decimal = item.As<Decimal>();
  return decimal != nullptr ? std::optional<Decimal>(*decimal) : std::nullopt;
}

std::optional<Quantity> AsQuantity(const Item& item) {
  if (const Quantity* quantity = item.As<Quantity>()) {
    return *quantity;
  }
  auto number = AsDecimal(item);
  return number ? std::optional<Quantity>(Quantity{*number, "1", false}) : std::nullopt;
}

bool IsComplex(const Item& item) {
  const FhirNode* node = item.As<FhirNode>();
  return node != nullptr;
}

bool JsonEqual(const Json& a, const Json& b, bool equivalent) {
  if (a.kind != b.kind) {
    return false;
  }
  switch (a.kind) {
    case Json::Kind::kNull:
      return true;
    case Json::Kind::kBoolean:
      return a.boolean == b.boolean;
    case Json::Kind::kNumber: {
      auto x = Decimal::Parse(a.text), y = Decimal::Parse(b.text);
      return x && y ? Compare(*x, *y) == 0 : a.text == b.text;
    }
    case Json::Kind::kString:
      return equivalent ? NormalizeForEquivalence(a.text) == NormalizeForEquivalence(b.text)
                        : a.text == b.text;
    case Json::Kind::kArray:
      if (a.items.size() != b.items.size()) {
        return false;
      }
      for (size_t i = 0; i < a.items.size(); ++i) {
        if (!JsonEqual(a.items[i], b.items[i], equivalent)) {
          return false;
        }
      }
      return true;
    case Json::Kind::kObject:
      if (a.members.size() != b.members.size()) {
        return false;
      }
      for (const auto& [name, value] : a.members) {
        const Json* other = b.Find(name);
        if (other == nullptr || !JsonEqual(value, *other, equivalent)) {
          return false;
        }
      }
      return true;
  }
  return false;
}

// Both at the lesser of their significant fraction digits, as equivalence asks.
bool DecimalsEquivalent(const Decimal& a, const Decimal& b) {
  int digits = std::min(a.Trimmed().scale, b.Trimmed().scale);
  auto x = a.RoundTo(digits, Decimal::Round::kHalfAway),
       y = b.RoundTo(digits, Decimal::Round::kHalfAway);
  return x && y && Compare(*x, *y) == 0;
}

Items OneNumber(const std::optional<Decimal>& value) { return value ? One(Item{*value}) : Items{}; }

Items OneInt(__int128 value) {  // System.Integer has 32 bits; beyond is empty
  bool fits =
      value <= std::numeric_limits<int32_t>::max() && value >= std::numeric_limits<int32_t>::min();
  return fits ? OneInteger(static_cast<int64_t>(value)) : Items{};
}

Items Arithmetic(Evaluator& eval, char op, const Item& left, const Item& right) {
  const int64_t* x = left.As<int64_t>();
  const int64_t* y = right.As<int64_t>();
  if (x != nullptr && y != nullptr && op != '/') {
    __int128 a = *x, b = *y;
    return op == '+' ? OneInt(a + b) : op == '-' ? OneInt(a - b) : OneInt(a * b);
  }
  auto a = AsDecimal(left), b = AsDecimal(right);
  if (a && b) {
    return OneNumber(op == '+'   ? Add(*a, *b)
                     : op == '-' ? Subtract(*a, *b)
                     : op == '*' ? Multiply(*a, *b)
                                 : Divide(*a, *b));
  }
  const std::string* s = left.As<std::string>();
  const std::string* t = right.As<std::string>();
  if (op == '+' && s != nullptr && t != nullptr) {
    return OneString(*s + *t);
  }
  const Temporal* date = left.As<Temporal>();
  const Quantity* amount = right.As<Quantity>();
  if ((op == '+' || op == '-') && date != nullptr && amount != nullptr) {
    Decimal signed_amount = amount->value;
    signed_amount.mantissa = op == '-' ? -signed_amount.mantissa : signed_amount.mantissa;
    bool bad_unit = false;
    auto moved = AddQuantity(*date, signed_amount, amount->unit, amount->calendar, &bad_unit);
    if (bad_unit) {
      eval.Fail("a date cannot be moved by this unit");
    }
    return moved ? One(Item{*moved}) : Items{};
  }
  auto p = AsQuantity(left), q = AsQuantity(right);
  if (p && q) {
    if (op == '+' || op == '-') {
      auto both = InOneUnit(*p, *q, true);
      auto sum = !both       ? std::nullopt
                 : op == '+' ? Add(both->left, both->right)
                             : Subtract(both->left, both->right);
      return sum ? One(Item{Quantity{*sum, std::string(both->unit), p->calendar && q->calendar}})
                 : Items{};
    }
    // Products of units wait for UCUM: one side must be a plain number, or the units cancel.
    if (op == '*' && (p->unit == "1" || q->unit == "1")) {
      auto product = Multiply(p->value, q->value);
      return product ? One(Item{Quantity{*product, p->unit == "1" ? q->unit : p->unit, false}})
                     : Items{};
    }
    if (op == '/' && q->unit == "1") {
      auto quotient = Divide(p->value, q->value);
      return quotient ? One(Item{Quantity{*quotient, p->unit, p->calendar}}) : Items{};
    }
    if (op == '/') {
      auto both = InOneUnit(*p, *q, true);
      auto quotient = both ? Divide(both->left, both->right) : std::nullopt;
      return quotient ? One(Item{Quantity{*quotient, "1", false}}) : Items{};
    }
    return {};
  }
  eval.Fail(std::string("operands of ") + op + " do not fit");
  return {};
}

Items Division(Evaluator& eval, bool modulo, const Item& left, const Item& right) {
  auto a = AsDecimal(left), b = AsDecimal(right);
  if (!a || !b) {
    eval.Fail("div and mod need numbers");
    return {};
  }
  bool integers = left.As<int64_t>() != nullptr && right.As<int64_t>() != nullptr;
  auto result = modulo ? Modulo(*a, *b) : IntegerDivide(*a, *b);
  if (!result) {
    return {};
  }
  return !modulo || integers ? OneInt(result->mantissa) : One(Item{*result});
}

}  // namespace

std::optional<bool> Evaluator::EqualItems(const Item& a, const Item& b) {
  const FhirNode* m = a.As<FhirNode>();
  const FhirNode* n = b.As<FhirNode>();
  if (m != nullptr && n != nullptr && m->value == n->value && m->sibling == n->sibling) {
    return true;
  }
  auto x = ToSystem(a), y = ToSystem(b);
  if (!x || !y) {
    return m != nullptr && n != nullptr && !x && !y && m->sibling != nullptr &&
           n->sibling != nullptr && JsonEqual(*m->sibling, *n->sibling, false);
  }
  if (const Temporal* s = x->As<Temporal>()) {
    const Temporal* t = y->As<Temporal>();
    return t != nullptr ? Equal(*s, *t) : std::optional<bool>(false);
  }
  auto p = AsDecimal(*x), q = AsDecimal(*y);
  if (p && q) {
    return Compare(*p, *q) == 0;
  }
  auto s = AsQuantity(*x), t = AsQuantity(*y);
  if (s && t) {
    auto both = InOneUnit(*s, *t, true);
    if (both) {
      return Compare(both->left, both->right) == 0;
    }
    return Comparable(*s, *t) ? std::nullopt : std::optional<bool>(false);
  }
  if (x->value.index() != y->value.index()) {
    return false;
  }
  if (const bool* v = x->As<bool>()) {
    return *v == *y->As<bool>();
  }
  if (const std::string* v = x->As<std::string>()) {
    return *v == *y->As<std::string>();
  }
  if (IsComplex(*x)) {
    return JsonEqual(*x->As<FhirNode>()->value, *y->As<FhirNode>()->value, false);
  }
  if (const TypeInfo* v = x->As<TypeInfo>()) {
    return v->name == y->As<TypeInfo>()->name && v->name_space == y->As<TypeInfo>()->name_space;
  }
  if (const V2Item* v = x->As<V2Item>()) {
    const V2Item* w = y->As<V2Item>();
    return message_ != nullptr && message_->Slice(*v) == message_->Slice(*w);
  }
  return false;
}

std::optional<bool> Evaluator::EqualCollections(const Items& a, const Items& b) {
  if (a.empty() || b.empty()) {
    return std::nullopt;
  }
  if (a.size() != b.size()) {
    return false;
  }
  bool unknown = false;
  for (size_t i = 0; i < a.size(); ++i) {
    auto equal = EqualItems(a[i], b[i]);
    if (equal && !*equal) {
      return false;
    }
    unknown |= !equal;
  }
  return unknown ? std::nullopt : std::optional<bool>(true);
}

bool Evaluator::EquivalentItems(const Item& a, const Item& b) {
  auto x = ToSystem(a), y = ToSystem(b);
  if (!x || !y) {
    return !x && !y;
  }
  if (const Temporal* s = x->As<Temporal>()) {
    const Temporal* t = y->As<Temporal>();
    return t != nullptr && Equivalent(*s, *t);
  }
  auto p = AsDecimal(*x), q = AsDecimal(*y);
  if (p && q) {
    return DecimalsEquivalent(*p, *q);
  }
  auto s = AsQuantity(*x), t = AsQuantity(*y);
  if (s && t) {
    auto both = InOneUnit(*s, *t, false);
    return both && DecimalsEquivalent(both->left, both->right);
  }
  if (x->value.index() != y->value.index()) {
    return false;
  }
  if (const std::string* v = x->As<std::string>()) {
    return NormalizeForEquivalence(*v) == NormalizeForEquivalence(*y->As<std::string>());
  }
  if (IsComplex(*x)) {
    return JsonEqual(*x->As<FhirNode>()->value, *y->As<FhirNode>()->value, true);
  }
  auto equal = EqualItems(*x, *y);
  return equal && *equal;
}

bool Evaluator::EquivalentCollections(const Items& a, const Items& b) {
  if (a.size() != b.size()) {
    return false;
  }
  std::vector<bool> taken(b.size(), false);  // order does not count, numbers of occurrences do
  for (const Item& item : a) {
    bool found = false;
    for (size_t i = 0; i < b.size() && !found; ++i) {
      if (!taken[i] && EquivalentItems(item, b[i])) {
        taken[i] = found = true;
      }
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

std::optional<int> Evaluator::CompareItems(const Item& a, const Item& b) {
  auto x = ToSystem(a), y = ToSystem(b);
  if (!x || !y) {
    return std::nullopt;
  }
  const std::string* s = x->As<std::string>();
  const std::string* t = y->As<std::string>();
  if (s != nullptr && t != nullptr) {
    int order = s->compare(*t);  // UTF-8 bytes order as code points do
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  const Temporal* d = x->As<Temporal>();
  const Temporal* e = y->As<Temporal>();
  if (d != nullptr && e != nullptr &&
      (d->kind == Temporal::Kind::kTime) == (e->kind == Temporal::Kind::kTime)) {
    return Compare(*d, *e);
  }
  auto p = AsDecimal(*x), q = AsDecimal(*y);
  if (p && q) {
    return Compare(*p, *q);
  }
  auto u = AsQuantity(*x), v = AsQuantity(*y);
  if (u && v) {
    auto both = InOneUnit(*u, *v, true);
    return both ? std::optional<int>(Compare(both->left, both->right)) : std::nullopt;
  }
  Fail("values of these types have no order");
  return std::nullopt;
}

bool Evaluator::Contains(const Items& items, const Item& item) {
  return std::any_of(items.begin(), items.end(), [&](const Item& other) {
    auto equal = EqualItems(other, item);
    return equal && *equal;
  });
}

Items Evaluator::EvalUnary(const Node& node) {
  Items input = Eval(*node.kids[0]);
  auto item = SingleSystem(input);
  if (!item) {
    return {};
  }
  bool minus = node.text == "-";
  if (const int64_t* value = item->As<int64_t>()) {
    return OneInt(minus ? -static_cast<__int128>(*value) : *value);
  }
  if (const Decimal* value = item->As<Decimal>()) {
    return One(Item{Decimal{minus ? -value->mantissa : value->mantissa, value->scale}});
  }
  if (const Quantity* value = item->As<Quantity>()) {
    Quantity result = *value;
    result.value.mantissa = minus ? -result.value.mantissa : result.value.mantissa;
    return One(Item{result});
  }
  Fail("a sign needs a number");
  return {};
}

Items Evaluator::EvalBinary(const Node& node) {
  const std::string& op = node.text;
  Items left = Eval(*node.kids[0]);

  if (op == "and" || op == "or" || op == "xor" || op == "implies") {
    auto a = SingleBoolean(left);
    if (failed()) {
      return {};
    }
    auto b = SingleBoolean(Eval(*node.kids[1]));
    if (failed()) {
      return {};
    }
    if (op == "implies") {
      a = a ? std::optional<bool>(!*a) : std::nullopt;  // not a, or b
    }
    if (op == "xor") {
      return a && b ? OneBoolean(*a != *b) : Items{};
    }
    bool deciding = op != "and";
    if ((a && *a == deciding) || (b && *b == deciding)) {
      return OneBoolean(deciding);
    }
    return a && b ? OneBoolean(!deciding) : Items{};
  }

  Items right = Eval(*node.kids[1]);
  if (failed()) {
    return {};
  }
  if (op == "=" || op == "!=") {
    auto equal = EqualCollections(left, right);
    return equal ? OneBoolean(*equal == (op == "=")) : Items{};
  }
  if (op == "~" || op == "!~") {
    return OneBoolean(EquivalentCollections(left, right) == (op == "~"));
  }
  if (op == "|") {
    Items result;
    for (const Items* side : {&left, &right}) {
      for (const Item& item : *side) {
        if (!Contains(result, item)) {
          result.push_back(item);
        }
      }
    }
    return result;
  }
  if (op == "in" || op == "contains") {
    const Items& single = op == "in" ? left : right;
    const Items& collection = op == "in" ? right : left;
    const Item* item = Single(single);
    return item != nullptr ? OneBoolean(Contains(collection, *item)) : Items{};
  }
  auto a = SingleSystem(left);
  auto b = SingleSystem(right);
  if (failed()) {
    return {};
  }
  if (op == "&") {
    auto text = [this](const std::optional<Item>& item) -> std::string {
      if (!item) {
        return "";
      }
      if (item->As<std::string>() == nullptr) {
        Fail("& needs Strings");
        return "";
      }
      return *item->As<std::string>();
    };
    return OneString(text(a) + text(b));
  }
  if (!a || !b) {
    return {};
  }
  if (op == "<" || op == "<=" || op == ">" || op == ">=") {
    auto order = CompareItems(*a, *b);
    if (!order) {
      return {};
    }
    return OneBoolean(op == "<"    ? *order < 0
                      : op == "<=" ? *order <= 0
                      : op == ">"  ? *order > 0
                                   : *order >= 0);
  }
  if (op == "div" || op == "mod") {
    return Division(*this, op == "mod", *a, *b);
  }
  if (op == "+" || op == "-" || op == "*" || op == "/") {
    return Arithmetic(*this, op[0], *a, *b);
  }
  Fail("unknown operator " + op);
  return {};
}

}  // namespace weir::ir
