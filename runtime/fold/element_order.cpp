// Names -> groups. The manifest lists names only, so choices are recognised by FHIR's own rule for
// spelling them: one stem, then the capitalised name of a data type.
#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/fold/fold.h"

namespace weir::fold {
namespace {

// No resource has a top-level choice with `code`, but many have the two elements reasonCode and
// reasonReference.
constexpr std::string_view kChoiceTypes[] = {"Address",
                                             "Age",
                                             "Annotation",
                                             "Attachment",
                                             "Base64Binary",
                                             "Boolean",
                                             "Canonical",
                                             "CodeableConcept",
                                             "Coding",
                                             "ContactDetail",
                                             "ContactPoint",
                                             "Contributor",
                                             "Count",
                                             "DataRequirement",
                                             "Date",
                                             "DateTime",
                                             "Decimal",
                                             "Distance",
                                             "Dosage",
                                             "Duration",
                                             "Expression",
                                             "HumanName",
                                             "Id",
                                             "Identifier",
                                             "Instant",
                                             "Integer",
                                             "Markdown",
                                             "Meta",
                                             "Money",
                                             "Oid",
                                             "ParameterDefinition",
                                             "Period",
                                             "PositiveInt",
                                             "Quantity",
                                             "Range",
                                             "Ratio",
                                             "Reference",
                                             "RelatedArtifact",
                                             "SampledData",
                                             "Signature",
                                             "String",
                                             "Time",
                                             "Timing",
                                             "TriggerDefinition",
                                             "UnsignedInt",
                                             "Uri",
                                             "Url",
                                             "UsageContext",
                                             "Uuid"};

// Every stem a choice variant could have: "multipleBirthInteger" -> "multipleBirth"; "xDateTime" ->
// "x", "xDate".
std::vector<std::string_view> Stems(std::string_view name) {
  std::vector<std::string_view> stems;
  for (const std::string_view type : kChoiceTypes) {
    if (name.size() > type.size() && name.ends_with(type)) {
      stems.push_back(name.substr(0, name.size() - type.size()));
    }
  }
  return stems;
}

// instantiatesCanonical and instantiatesUri are two elements of R4, although they are spelled like
// one choice.
bool SameChoice(std::string_view a, std::string_view b) {
  if (a.starts_with("instantiates")) {
    return false;
  }
  const auto stems_a = Stems(a), stems_b = Stems(b);
  return std::ranges::any_of(stems_a, [&](std::string_view stem) {
    return std::ranges::find(stems_b, stem) != stems_b.end();
  });
}

}  // namespace

ElementOrder::ElementOrder(const std::vector<std::string>& names,
                           const std::vector<std::vector<std::string>>& together) {
  std::vector<std::string> plain;  // without siblings, which are generated
  for (const std::string& name : names) {
    if (!name.starts_with('_') && name != "resourceType" && name != "id" && name != "meta") {
      plain.push_back(name);
    }
  }
  auto owned = std::make_shared<std::vector<std::string>>();
  owned->reserve(2 * plain.size());  // Elements point into it
  uint16_t group = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (i > 0 && !SameChoice(plain[i - 1], plain[i])) {
      ++group;
    }
    for (const std::string& name : {plain[i], "_" + plain[i]}) {
      const std::string& kept = owned->emplace_back(name);
      elements_.push_back({kept.c_str(), static_cast<uint16_t>(kept.size()), group});
    }
  }
  for (const auto& tied : together) {
    std::vector<uint16_t> groups;
    for (const Element& element : elements_) {
      const auto stems = Stems(element.name);
      if (std::ranges::any_of(tied, [&](const std::string& name) {
            return name == element.name || std::ranges::find(stems, name) != stems.end();
          })) {
        groups.push_back(element.group);
      }
    }
    for (Element& element : elements_) {
      if (std::ranges::find(groups, element.group) != groups.end()) {
        element.group = groups.front();
      }
    }
  }
  names_ = std::move(owned);
  WEIR_CHECK(elements_.size() <= kMaxElements);
}

}  // namespace weir::fold
