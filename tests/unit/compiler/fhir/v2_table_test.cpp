#include "compiler/fhir/v2_table.h"

#include <gtest/gtest.h>

namespace weir::fhir {
namespace {

const V2Table& Table() {
  static const auto table = [] {
    auto loaded = V2Table::Load(WEIR_SOURCE_DIR "/contracts/registry");
    return loaded.ok() ? std::move(*loaded) : nullptr;
  }();
  return *table;
}

TEST(V2Table, FieldsAsTheStandardHasThem) {
  const auto* pid = Table().Segment("2.5.1", "PID");
  ASSERT_NE(pid, nullptr);
  ASSERT_EQ(pid->size(), 39u);
  EXPECT_EQ((*pid)[2].type, "CX");
  EXPECT_TRUE((*pid)[2].repeats());
  EXPECT_EQ((*pid)[2].min, 1);
  EXPECT_EQ((*pid)[7].table, "HL70001");
  EXPECT_EQ((*pid)[4].name, "patientName");
  EXPECT_TRUE(Table().Segment("2.8", "PID")->at(1).withdrawn());
  EXPECT_EQ(Table().Segment("2.5.1", "ZZZ"), nullptr);
  EXPECT_EQ(Table().Segment("2.9", "PID"), nullptr);
}

TEST(V2Table, StructuresAreTrees) {
  const auto* a01 = Table().Structure("2.5.1", "ADT_A01");
  ASSERT_NE(a01, nullptr);
  EXPECT_EQ((*a01)[0].name, "MSH");
  bool insurance = false;
  for (const auto& item : *a01) {
    if (item.group && item.name == "INSURANCE") {
      insurance = true;
      EXPECT_TRUE(item.repeats());
      EXPECT_EQ(item.items[0].name, "IN1");
    }
  }
  EXPECT_TRUE(insurance);
}

TEST(V2Table, TriggersShareStructures) {
  EXPECT_EQ(Table().StructureOf("2.5.1", "ADT", "A04"), "ADT_A01");
  EXPECT_EQ(Table().StructureOf("2.5.1", "ADT", "A40"), "ADT_A39");
  EXPECT_EQ(Table().StructureOf("2.5.1", "ADT", "A28"), "ADT_A05");
  EXPECT_EQ(Table().StructureOf("2.5.1", "ADT", "Z99"), "");
}

TEST(V2Table, DataTypesHaveNamedComponents) {
  const auto* cx = Table().DataType("2.5.1", "CX");
  ASSERT_NE(cx, nullptr);
  EXPECT_EQ((*cx)[3].name, "assigningAuthority");
  EXPECT_EQ((*cx)[3].type, "HD");
  EXPECT_FALSE(Table().IsDataType("ST"));
}

TEST(V2Table, AllVersionsAreThere) {
  for (const auto& version : V2Table::Versions()) {
    EXPECT_NE(Table().Segment(version, "PID"), nullptr) << version;
    EXPECT_FALSE(Table().StructureOf(version, "ADT", "A01").empty()) << version;
  }
}

}  // namespace
}  // namespace weir::fhir
