// Items and collections of the interpreter. An item is a System value, a FHIR node (JSON plus its
// FHIR type), a slice of a v2 message, or a reflection value. Items do not own documents: the
// evaluation's root does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/ir/interp/decimal.h"
#include "compiler/ir/interp/json.h"
#include "compiler/ir/interp/temporal.h"

namespace weir::ir {

class TypeModel;

struct Quantity {
  Decimal value;
  std::string unit = "1";
  bool calendar = false;  // written `1 week`, not `1 'wk'`
};

struct FhirNode {
  const Json* value = nullptr;    // null when only `_name` is there
  const Json* sibling = nullptr;  // a primitive's `_name`: id and extensions
  std::string type;               // "Patient", "string", "Patient.contact"; "" unknown
};

enum class V2Level : uint8_t { kMessage, kGroup, kSegment, kField, kComponent, kSubcomponent };
struct V2Item {
  V2Level level = V2Level::kMessage;
  uint32_t begin = 0,
           end = 0;      // bytes of the message; segments: segment ordinals for kMessage and kGroup
  uint32_t segment = 0;  // ordinal of the segment the slice lies in; group: instance ordinal
};

struct TypeInfo {
  std::string name_space, name;
};

struct Item {
  std::variant<bool, int64_t, Decimal, std::string, Temporal, Quantity, FhirNode, V2Item, TypeInfo>
      value;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&value);
  }
};

using Items = std::vector<Item>;

// The System value of a FHIR primitive or quantity (implicit conversion); other items as they are;
// nothing for a primitive without a value.
std::optional<Item> ToSystem(const Item& item);
bool IsFhirPrimitive(std::string_view type);
bool IsQuantityType(std::string_view type);

// How the suite and `weir try` print an item: strings plain, dates without `@`, quantities with
// their unit.
std::string ToText(const Item& item);
// "System.String", "FHIR.code", "v2.field", …
std::string TypeName(const Item& item);

// Literal bodies of the IR, by type name; nothing when malformed.
std::optional<Item> ParseLiteral(std::string_view type, std::string_view text);
std::optional<Quantity> ParseQuantity(std::string_view text);
std::string QuantityText(const Quantity& quantity);

}  // namespace weir::ir
