// FHIR primitives from System values and v2 text: docs/ir.md, Emission.
#include <algorithm>
#include <limits>

#include "compiler/ir/interp/emit.h"
#include "compiler/ir/interp/text.h"

namespace weir::ir {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string Quoted(std::string_view text) {
  std::string out;
  WriteJsonString(text, &out);
  return out;
}

std::optional<std::string> IntegerJson(std::string_view kind, const std::string& text) {
  auto value = Decimal::Parse(text);
  auto integer =
      value && text.find_first_of(".eE") == std::string::npos ? value->ToInteger() : std::nullopt;
  int64_t least = kind == "positiveInt"   ? 1
                  : kind == "unsignedInt" ? 0
                                          : std::numeric_limits<int32_t>::min();
  if (!integer || *integer < least || *integer > std::numeric_limits<int32_t>::max()) {
    return std::nullopt;
  }
  return std::to_string(*integer);
}

// Text work only: digits are kept as written, however many.
std::optional<std::string> DecimalJson(std::string_view text) {
  std::string sign;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    sign = text[0] == '-' ? "-" : "";
    text.remove_prefix(1);
  }
  size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if ((whole.empty() && fraction.empty()) || !std::all_of(whole.begin(), whole.end(), IsDigit) ||
      !std::all_of(fraction.begin(), fraction.end(), IsDigit)) {
    return std::nullopt;
  }
  while (whole.size() > 1 && whole[0] == '0') {
    whole.remove_prefix(1);
  }
  std::string out = sign + (whole.empty() ? "0" : std::string(whole));
  return fraction.empty() ? out : out + "." + std::string(fraction);
}

std::optional<std::string> BooleanJson(std::string_view text) {
  if (text == "Y" || text == "true") {
    return "true";
  }
  return text == "N" || text == "false" ? std::optional<std::string>("false") : std::nullopt;
}

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
  });
}

std::string Collapse(std::string_view text) {  // inner blank runs to one space, outer ones gone
  std::string out;
  bool blank = false;
  for (char c : TrimBlanks(text)) {
    bool is = c == ' ' || c == '\t';
    if (!is) {
      out.push_back(c);
    } else if (!blank) {
      out.push_back(' ');
    }
    blank = is;
  }
  return out;
}

std::optional<std::string> TextJson(std::string_view kind, const std::string& text) {
  bool no_space = std::none_of(text.begin(), text.end(), IsSpace);
  if (kind == "code") {
    return Quoted(Collapse(text));
  }
  bool refused = ((kind == "uri" || kind == "url" || kind == "canonical") && !no_space) ||
                 (kind == "id" && !IsId(text)) || (kind == "oid" && !IsOid(text)) ||
                 (kind == "uuid" && !IsUuid(text));
  return refused ? std::nullopt : std::optional<std::string>(Quoted(text));
}

void AddZone(const Zone& zone, Temporal* t) {
  int32_t seconds = OffsetAt(zone, t->LocalSeconds());
  t->offset_minutes = seconds / 60;  // offsets before standard time had seconds; FHIR has minutes
  t->zulu = zone.name == "UTC";
}

std::optional<Temporal> ReadTemporal(std::string_view kind, const Item& item) {
  if (const Temporal* value = item.As<Temporal>()) {
    return *value;
  }
  const std::string* text = item.As<std::string>();
  if (text == nullptr) {
    return std::nullopt;
  }
  if (kind == "time") {
    auto hl7 = Temporal::ParseHl7Time(*text);
    return hl7 ? hl7 : Temporal::ParseTime(*text);
  }
  auto hl7 = Temporal::ParseHl7(*text);
  return hl7 ? hl7 : Temporal::ParseDateTime(*text);
}

std::optional<std::string> TemporalJson(std::string_view kind, const Item& item, const Zone* zone,
                                        bool* degraded) {
  using Precision = Temporal::Precision;
  auto t = ReadTemporal(kind, item);
  bool is_time = kind == "time";
  if (!t || (t->kind == Temporal::Kind::kTime) != is_time) {
    return std::nullopt;
  }
  auto cut = [&t] {
    t->precision = std::min(t->precision, Precision::kDay);
    t->offset_minutes.reset();
    t->zulu = t->minus_zero = false;
  };
  if (is_time) {
    if (t->precision < Precision::kMinute || t->offset_minutes) {
      return std::nullopt;
    }
    t->precision = std::max(t->precision, Precision::kSecond);
    return Quoted(t->ToString());
  }
  if (kind == "instant" &&
      (t->precision < Precision::kSecond || (!t->offset_minutes && zone == nullptr))) {
    return std::nullopt;
  }
  if (kind == "date" || t->precision <= Precision::kDay) {
    cut();
  } else if (t->precision == Precision::kHour || (!t->offset_minutes && zone == nullptr)) {
    cut();
    *degraded = true;
  } else {
    t->precision = std::max(t->precision, Precision::kSecond);
    if (!t->offset_minutes) {
      AddZone(*zone, &*t);
    }
  }
  return Quoted(t->ToString());
}

}  // namespace

bool IsOid(std::string_view text) {  // urn:oid:[0-2](\.(0|[1-9][0-9]*))+
  if (!text.starts_with("urn:oid:")) {
    return false;
  }
  text.remove_prefix(8);
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.') {
    return false;
  }
  text.remove_prefix(1);
  while (!text.empty()) {
    text.remove_prefix(1);  // the point
    size_t end = std::min(text.find('.'), text.size());
    std::string_view arc = text.substr(0, end);
    if (arc.empty() || !std::all_of(arc.begin(), arc.end(), IsDigit) ||
        (arc[0] == '0' && arc.size() > 1)) {
      return false;
    }
    text.remove_prefix(end);
  }
  return true;
}

bool IsUuid(std::string_view text) {
  if (!text.starts_with("urn:uuid:") || text.size() != 45) {
    return false;
  }
  text.remove_prefix(9);
  for (size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool hex = IsDigit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> PrimitiveJson(std::string_view kind, const Item& item, const Zone* zone,
                                         bool* degraded) {
  if (kind == "date" || kind == "dateTime" || kind == "instant" || kind == "time") {
    return TemporalJson(kind, item, zone, degraded);
  }
  bool complex = item.As<FhirNode>() != nullptr || item.As<V2Item>() != nullptr ||
                 item.As<TypeInfo>() != nullptr;
  if (complex || item.As<Quantity>() != nullptr) {
    return std::nullopt;
  }
  std::string text = ToText(item);
  if (kind == "boolean") {
    return BooleanJson(text);
  }
  if (kind == "integer" || kind == "positiveInt" || kind == "unsignedInt") {
    return IntegerJson(kind, text);
  }
  if (kind == "decimal") {
    return DecimalJson(text);
  }
  return TextJson(kind, text);
}

}  // namespace weir::ir
