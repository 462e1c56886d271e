#include "compiler/fhir/type_table.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::fhir {
namespace {

const TypeTable& Table() {
  static const auto table = [] {
    auto loaded = TypeTable::Load(WEIR_SOURCE_DIR "/contracts/registry", {"fhir-r4", "us-core-6.1.0"});
    return loaded.ok() ? std::move(*loaded) : nullptr;
  }();
  return *table;
}

TEST(TypeTable, KnowsPatientAsTheStandardHasIt) {
  const TypeDef* patient = Table().FindType("Patient");
  ASSERT_NE(patient, nullptr);
  EXPECT_EQ(patient->url, "http://hl7.org/fhir/StructureDefinition/Patient");
  EXPECT_EQ(patient->base, "DomainResource");
  auto contact = Table().FindElement("Patient", "contact");
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact.element->min, 0u);
  EXPECT_EQ(contact.element->max, kUnbounded);
  EXPECT_EQ(Table().ContentPath(*contact.element, *contact.owner), "Patient.contact");
  auto name = Table().FindElement("Patient.contact", "name");
  ASSERT_TRUE(name);
  EXPECT_EQ(name.element->max, 1u);
  EXPECT_EQ(Table().ContentPath(*name.element, *name.owner), "HumanName");
  EXPECT_EQ(Table().FindElement("HumanName", "given").element->max, kUnbounded);
  EXPECT_FALSE(Table().FindElement("Patient", "nmae"));
}

TEST(TypeTable, ExpandsChoices) {
  auto deceased = Table().FindElement("Patient", "deceasedDateTime");
  ASSERT_TRUE(deceased);
  EXPECT_TRUE(deceased.element->choice);
  EXPECT_EQ(deceased.element->name, "deceased");
  EXPECT_EQ(deceased.chosen->code, "dateTime");
  EXPECT_EQ(deceased.element->types.size(), 2u);
  EXPECT_FALSE(Table().FindElement("Patient", "deceasedString"));
  EXPECT_EQ(Table().FindElement("Observation", "value").element->types.size(), 11u);
}

TEST(TypeTable, FollowsContentReferences) {
  auto item = Table().FindElement("Questionnaire.item", "item");
  ASSERT_TRUE(item);
  EXPECT_EQ(Table().ContentPath(*item.element, *item.owner), "Questionnaire.item");
}

TEST(TypeTable, RequiredBindingsHaveTheirCodes) {
  auto status = Table().FindElement("Observation", "status");
  ASSERT_TRUE(status);
  EXPECT_TRUE(status.element->binding.required);
  EXPECT_EQ(status.element->min, 1u);
  const Codes* codes = Table().FindValueSet(status.element->binding.value_set);
  ASSERT_NE(codes, nullptr);
  EXPECT_EQ(codes->at("http://hl7.org/fhir/observation-status"),
            (std::vector<std::string>{"amended", "cancelled", "corrected", "entered-in-error", "final", "preliminary",
                                      "registered", "unknown"}));
}

TEST(TypeTable, ReferenceTargets) {
  auto subject = Table().FindElement("Encounter", "subject");
  ASSERT_TRUE(subject);
  EXPECT_EQ(subject.element->types.front().target_profiles, (std::vector<std::string>{"Patient", "Group"}));
}

TEST(TypeTable, UsCoreTightensPatient) {
  const TypeDef* profile = Table().FindType("us-core-patient");
  ASSERT_NE(profile, nullptr);
  EXPECT_TRUE(profile->profile);
  auto system = Table().ProfileElements(*profile, "Patient.identifier.system");
  ASSERT_EQ(system.size(), 1u);
  EXPECT_EQ(system[0]->min, 1u);
  EXPECT_TRUE(system[0]->must_support);
  EXPECT_EQ(Table().ProfileElements(*profile, "Patient.gender")[0]->min, 1u);
  EXPECT_EQ(Table().FindType("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"), profile);
}

TEST(TypeTable, RaceCodesComeFrom311) {
  const Codes* race = Table().FindValueSet("http://hl7.org/fhir/us/core/ValueSet/omb-race-category");
  ASSERT_NE(race, nullptr);
  std::set<std::string> all;
  for (const auto& [system, codes] : *race) {
    all.insert(codes.begin(), codes.end());
  }
  EXPECT_EQ(all, (std::set<std::string>{"1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "ASKU", "UNK"}));
}

TEST(TypeTable, KindsAndSubtypes) {
  EXPECT_TRUE(Table().IsPrimitive("code"));
  EXPECT_FALSE(Table().IsPrimitive("HumanName"));
  EXPECT_TRUE(Table().IsResource("Encounter"));
  EXPECT_FALSE(Table().IsResource("us-core-patient"));
  EXPECT_TRUE(Table().IsSubtype("Patient", "Resource"));
  EXPECT_TRUE(Table().IsSubtype("code", "string"));
  EXPECT_TRUE(Table().IsSubtype("Age", "Quantity"));
  EXPECT_FALSE(Table().IsSubtype("string", "code"));
}

TEST(TypeTable, EveryInvariantOfPatientIsThere) {
  const Invariant* invariant = Table().FindInvariant("pat-1");
  ASSERT_NE(invariant, nullptr);
  EXPECT_EQ(invariant->expression, "name.exists() or telecom.exists() or address.exists() or organization.exists()");
  EXPECT_TRUE(invariant->error);
}

// R4 names three invariants inv-1, and US Core two us-core-6: each definition keeps its own.
TEST(TypeTable, OneKeyMayMeanTwoInvariants) {
  auto of = [](const char* type, const char* path) {
    for (const Element& element : Table().FindType(type)->elements) {
      if (element.path == path && element.slice.empty()) {
        return Table().FindInvariant(element.constraints.back());
      }
    }
    return static_cast<const Invariant*>(nullptr);
  };
  const Invariant* name = of("us-core-patient", "Patient.name");
  const Invariant* attachment = of("us-core-documentreference", "DocumentReference.content.attachment");
  ASSERT_NE(name, nullptr);
  ASSERT_NE(attachment, nullptr);
  EXPECT_TRUE(name->expression.starts_with("(family.exists() or given.exists()) xor")) << name->expression;
  EXPECT_EQ(attachment->expression, "url.exists() or data.exists()");
}

// The counts of the official package (notes: 148 resources, 61 types, 43 core profiles, 398 extensions and type profiles,
// three of 655 without snapshot or of another kind are not shapes).
TEST(TypeTable, CountsOfTheOfficialPackage) {
  size_t resources = 0;
  size_t types = 0;
  for (const auto& name : Table().TypeNames()) {
    const TypeDef* def = Table().FindType(name);
    ASSERT_NE(def, nullptr) << name;
    if (def->profile || !def->url.starts_with("http://hl7.org/fhir/StructureDefinition/")) {
      continue;
    }
    resources += def->kind == "resource" ? 1 : 0;
    types += def->kind == "primitive-type" || def->kind == "complex-type" ? 1 : 0;
  }
  EXPECT_EQ(resources, 148u);
  EXPECT_EQ(types, 61u);
}

}  // namespace
}  // namespace weir::fhir
