#include "compiler/ir/interp/value.h"

#include <array>

#include "compiler/ir/interp/text.h"
#include "compiler/ir/interp/units.h"

namespace weir::ir {
namespace {

constexpr std::array<std::string_view, 11> kStrings = {
    "string", "code", "id",       "uri",   "url",         "canonical",
    "uuid",   "oid",  "markdown", "xhtml", "base64Binary"};
bool OneOf(std::string_view type, std::initializer_list<std::string_view> list) {
  for (std::string_view name : list) {
    if (name == type) {
      return true;
    }
  }
  return false;
}
bool IsStringType(std::string_view type) {
  for (std::string_view name : kStrings) {
    if (name == type) {
      return true;
    }
  }
  return type == "http://hl7.org/fhirpath/System.String";
}
bool IsIntegerType(std::string_view type) {
  return OneOf(type, {"integer", "positiveInt", "unsignedInt"});
}

std::optional<Item> Wrap(std::optional<Temporal> t) {
  return t ? std::optional<Item>(Item{*t}) : std::nullopt;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  auto decimal = Decimal::Parse(text);
  return decimal && decimal->scale == 0 ? decimal->ToInteger() : std::nullopt;
}

std::optional<Item> FromPrimitive(const FhirNode& node) {
  const Json& json = *node.value;
  switch (json.kind) {
    case Json::Kind::kBoolean:
      return Item{json.boolean};
    case Json::Kind::kNumber: {
      if (IsIntegerType(node.type)) {
        if (auto integer = ParseInt(json.text)) {
          return Item{*integer};
        }
      }
      auto decimal = Decimal::Parse(json.text);
      return decimal ? std::optional<Item>(Item{*decimal}) : std::nullopt;
    }
    case Json::Kind::kString: {
      // A malformed date stays a string: comparisons with it are then refused rather than guessed.
      std::optional<Item> item;
      if (node.type == "date") {
        item = Wrap(Temporal::ParseDate(json.text));
      } else if (node.type == "dateTime" || node.type == "instant") {
        item = Wrap(Temporal::ParseDateTime(json.text));
      } else if (node.type == "time") {
        item = Wrap(Temporal::ParseTime(json.text));
      }
      return item ? item : Item{json.text};
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

bool IsQuantityType(std::string_view type) {
  return OneOf(type, {"Quantity", "SimpleQuantity", "Age", "Distance", "Duration", "Count",
                      "MoneyQuantity"});
}

bool IsFhirPrimitive(std::string_view type) {
  return IsStringType(type) || IsIntegerType(type) ||
         OneOf(type, {"boolean", "decimal", "date", "dateTime", "instant", "time"});
}

std::optional<Item> ToSystem(const Item& item) {
  const FhirNode* node = item.As<FhirNode>();
  if (node == nullptr) {
    return item;
  }
  if (node->value == nullptr) {
    return std::nullopt;
  }
  if (node->value->kind != Json::Kind::kObject && node->value->kind != Json::Kind::kArray) {
    return FromPrimitive(*node);
  }
  if (IsQuantityType(node->type)) {
    const Json* value = node->value->Find("value");
    const Json* code = node->value->Find("code");
    const Json* unit = code != nullptr ? code : node->value->Find("unit");
    auto decimal = value != nullptr ? Decimal::Parse(value->text) : std::nullopt;
    if (decimal && node->value->Find("comparator") == nullptr) {
      return Item{Quantity{*decimal, unit != nullptr ? unit->text : "1", false}};
    }
  }
  return item;
}

std::string QuantityText(const Quantity& quantity) {
  return quantity.value.ToString() + " " +
         (quantity.calendar ? quantity.unit : "'" + quantity.unit + "'");
}

std::string ToText(const Item& item) {
  auto system = ToSystem(item);
  if (!system) {
    return "";
  }
  struct Printer {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(const Decimal& v) const { return v.ToString(); }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const Temporal& v) const { return v.ToString(); }
    std::string operator()(const Quantity& v) const { return QuantityText(v); }
    std::string operator()(const FhirNode& v) const {
      std::string out;
      WriteJson(*v.value, &out);
      return out;
    }
    std::string operator()(const V2Item&) const { return ""; }
    std::string operator()(const TypeInfo& v) const { return v.name_space + "." + v.name; }
  };
  return std::visit(Printer{}, system->value);
}

std::string TypeName(const Item& item) {
  struct Namer {
    std::string operator()(bool) const { return "System.Boolean"; }
    std::string operator()(int64_t) const { return "System.Integer"; }
    std::string operator()(const Decimal&) const { return "System.Decimal"; }
    std::string operator()(const std::string&) const { return "System.String"; }
    std::string operator()(const Temporal& t) const {
      return t.kind == Temporal::Kind::kDate       ? "System.Date"
             : t.kind == Temporal::Kind::kDateTime ? "System.DateTime"
                                                   : "System.Time";
    }
    std::string operator()(const Quantity&) const { return "System.Quantity"; }
    std::string operator()(const FhirNode& node) const { return "FHIR." + node.type; }
    std::string operator()(const V2Item& v2) const {
      static constexpr std::string_view kLevels[] = {"message", "group",     "segment",
                                                     "field",   "component", "subcomponent"};
      return "v2." + std::string(kLevels[static_cast<int>(v2.level)]);
    }
    std::string operator()(const TypeInfo&) const { return "System.TypeInfo"; }
  };
  return std::visit(Namer{}, item.value);
}

std::optional<Quantity> ParseQuantity(std::string_view text) {
  text = TrimSpace(text);
  size_t digits = text.find_first_not_of("+-0123456789.");
  auto value = Decimal::Parse(text.substr(0, digits));
  if (!value) {
    return std::nullopt;
  }
  if (digits == std::string_view::npos) {
    return Quantity{*value, "1", false};
  }
  std::string_view unit = TrimSpace(text.substr(digits));
  if (unit.size() >= 2 && unit.front() == '\'' && unit.back() == '\'') {
    return Quantity{*value, std::string(unit.substr(1, unit.size() - 2)), false};
  }
  return IsCalendarWord(unit) ? std::optional<Quantity>(Quantity{*value, std::string(unit), true})
                              : std::nullopt;
}

std::optional<Item> ParseLiteral(std::string_view type, std::string_view text) {
  auto strip = [&text](char c) {
    if (!text.empty() && text.front() == c) {
      text.remove_prefix(1);
    }
  };
  if (type == "System.String") {
    return Item{std::string(text)};
  }
  if (type == "System.Boolean") {
    return text == "true" || text == "false" ? std::optional<Item>(Item{text == "true"})
                                             : std::nullopt;
  }
  if (type == "System.Integer") {
    auto value = ParseInt(text);
    return value ? std::optional<Item>(Item{*value}) : std::nullopt;
  }
  if (type == "System.Decimal") {
    auto value = Decimal::Parse(text);
    return value ? std::optional<Item>(Item{*value}) : std::nullopt;
  }
  if (type == "System.Quantity") {
    auto value = ParseQuantity(text);
    return value ? std::optional<Item>(Item{*value}) : std::nullopt;
  }
  strip('@');
  if (type == "System.Date") {
    return Wrap(Temporal::ParseDate(text));
  }
  if (type == "System.DateTime") {
    return Wrap(Temporal::ParseDateTime(text));
  }
  if (type == "System.Time") {
    strip('T');
    return Wrap(Temporal::ParseTime(text));
  }
  return std::nullopt;
}

}  // namespace weir::ir
