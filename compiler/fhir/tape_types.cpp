#include "compiler/fhir/tape_types.h"

namespace weir::fhir {

tape::TypeSource::Member TapeTypes::MemberOf(const std::string& type, const std::string& member) const {
  TypeTable::Found found = table_.FindElement(type, member);
  if (!found || (found.element->choice && found.chosen == nullptr)) {
    return {found ? found.element->name : member, ""};
  }
  std::string content = table_.ContentPath(*found.element, *found.owner, found.chosen);
  // `id` and `url` of FHIR's own definitions have System types; as values they are FHIR strings.
  return {found.element->name, content.starts_with("http://hl7.org/fhirpath/System.") ? "string" : content};
}

std::string TapeTypes::BaseOf(const std::string& type) const {
  if (type.find('.') != std::string::npos) {
    return "BackboneElement";
  }
  const TypeDef* def = table_.FindType(type);
  return def != nullptr && def->base != type ? def->base : "";
}

}  // namespace weir::fhir
