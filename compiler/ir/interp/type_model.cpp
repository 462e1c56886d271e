#include "compiler/ir/interp/type_model.h"

namespace weir::ir {
namespace {

constexpr std::string_view kSystem = "http://hl7.org/fhirpath/System.";

// `id` and `url` of FHIR's own definitions are System types; for reflection they are FHIR strings.
std::string Plain(std::string type) { return type.starts_with(kSystem) ? "string" : type; }

}  // namespace

TypeModel::Child RegistryTypes::ChildOf(std::string_view type, std::string_view member) const {
  fhir::TypeTable::Found found = table_.FindElement(type, member);
  if (!found) {
    return {std::string(member), ""};
  }
  if (found.element->choice && found.chosen == nullptr) {
    return {found.element->name, ""};
  }
  return {found.element->name,
          Plain(table_.ContentPath(*found.element, *found.owner, found.chosen))};
}

bool RegistryTypes::IsSubtype(std::string_view type, std::string_view base) const {
  // A backbone path (Patient.contact) is an anonymous BackboneElement.
  if (type.find('.') != std::string_view::npos) {
    return base == "BackboneElement" || base == "Element";
  }
  return table_.IsSubtype(type, base);
}

bool RegistryTypes::IsPrimitive(std::string_view type) const { return table_.IsPrimitive(type); }

bool RegistryTypes::Exists(std::string_view type) const {
  const fhir::TypeDef* def = table_.FindType(type);
  return def != nullptr && !def->profile;
}

}  // namespace weir::ir
