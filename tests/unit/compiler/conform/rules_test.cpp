#include "compiler/conform/rules.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::conform {
namespace {

const fhir::TypeTable& Table() {
  static const auto table = [] {
    auto loaded =
        fhir::TypeTable::Load(WEIR_SOURCE_DIR "/contracts/registry", {"fhir-r4", "us-core-6.1.0"});
    EXPECT_TRUE(loaded.ok());
    return std::move(*loaded);
  }();
  return *table;
}

std::set<std::string> Named(const std::vector<Rule>& rules) {
  std::set<std::string> names;
  for (const Rule& rule : rules) {
    names.insert(rule.element + " " + rule.key);
  }
  return names;
}

// Against the profiles' own pages (hl7.org/fhir/us/core/STU6.1).
TEST(Rules, OfProfiles) {
  RuleBook book(Table());
  struct Case {
    const char *profile, *rule;
    bool there;
  };
  const Case cases[] = {
      {"us-core-patient", "Patient.identifier required", true},
      {"us-core-patient", "Patient.identifier.system required", true},
      {"us-core-patient", "Patient.name us-core-6", true},
      {"us-core-patient", "Patient.extension:race at most 1", true},
      {"us-core-patient", "Patient.birthDate required", false},
      {"us-core-patient", "Patient.contact pat-1", false},  // the base type's
      {"us-core-blood-pressure", "Observation.category:VSCat.coding.code fixed value", true},
      {"us-core-blood-pressure", "Observation.component at least 2", true},
      {"us-core-blood-pressure", "Observation.component:systolic.code pattern", true},
      {"us-core-blood-pressure", "Observation.code pattern", true},
      {"us-core-observation-pregnancystatus", "Observation.value[x] types", true},
      {"us-core-observation-pregnancystatus", "Observation.value[x] no other slice", true},
      {"us-core-organization", "Organization.identifier:NPI us-core-16", true},
      {"us-core-condition-problems-health-concerns", "Condition.category:us-core value set", true},
      {"SimpleQuantity", "Quantity.comparator not allowed", true},
      {"us-core-race", "Extension.extension:text required", true},
      {"us-core-race", "Extension.url fixed value", true},
      {"us-core-race", "Extension.value[x] not allowed", true},
  };
  for (const Case& one : cases) {
    const fhir::TypeDef* profile = Table().FindType(one.profile);
    ASSERT_NE(profile, nullptr) << one.profile;
    EXPECT_EQ(Named(book.OfProfile(*profile)).contains(one.rule), one.there)
        << one.profile << ": " << one.rule;
  }
}

TEST(Rules, OfContentsAndElements) {
  RuleBook book(Table());
  EXPECT_EQ(Named(book.OfContent("Period")), (std::set<std::string>{"Period per-1"}));
  EXPECT_EQ(Named(book.OfContent("Patient.contact")),
            (std::set<std::string>{"Patient.contact pat-1"}));
  const fhir::Element* telecom = Table().FindElement("Organization", "telecom").element;
  EXPECT_EQ(Named(book.OfElement(*telecom, "ContactPoint")),
            (std::set<std::string>{"Organization.telecom org-3"}));
  const fhir::Element* status = Table().FindElement("Condition", "clinicalStatus").element;
  EXPECT_EQ(Named(book.OfElement(*status, "CodeableConcept")),
            (std::set<std::string>{"Condition.clinicalStatus value set"}));
  const fhir::Element* low = Table().FindElement("Range", "low").element;
  EXPECT_TRUE(Named(book.OfElement(*low, "Quantity")).contains("Range.low.comparator not allowed"));
}

// All profiles of both packages can be read, and every slice of US Core has a discriminator that
// can be said.
TEST(Rules, EveryProfileOfUsCore) {
  RuleBook book(Table());
  size_t rules = 0;
  for (const std::string& name : Table().TypeNames()) {
    const fhir::TypeDef* profile = Table().FindType(name);
    if (profile == nullptr || !profile->profile ||
        profile->url.find("us/core") == std::string::npos) {
      continue;
    }
    for (const Rule& rule : book.OfProfile(*profile)) {
      EXPECT_NE(rule.condition, nullptr) << name << " " << rule.element << " " << rule.key;
      ++rules;
    }
  }
  EXPECT_GT(rules, 500u);
}

}  // namespace
}  // namespace weir::conform
