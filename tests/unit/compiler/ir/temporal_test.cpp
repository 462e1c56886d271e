#include "compiler/ir/interp/temporal.h"

#include <gtest/gtest.h>

namespace weir::ir {
namespace {

Temporal Dt(const char* text) { return *Temporal::ParseDateTime(text); }
std::string Print(const std::optional<Temporal>& t) { return t ? t->ToString() : "none"; }

TEST(TemporalTest, KeepsPrecisionAndOffset) {
  for (const char* text :
       {"2014", "2014-01", "2014-01-05", "2014-01-05T10", "2014-01-05T10:30", "2014-01-05T10:30:00",
        "2014-01-05T10:30:00.000", "2014-01-05T10:30:00.5Z", "2014-01-05T10:30:00+10:00",
        "2014-01-05T10:30:00-00:00"}) {
    EXPECT_EQ(Dt(text).ToString(), text);
  }
}

TEST(TemporalTest, RefusesWhatCannotBe) {
  for (const char* text : {"", "201", "0000", "2014-13", "2014-02-30", "2013-02-29",
                           "2014-01-05T24", "2014-01-05T10:60", "2014-01-05T10:30:60",
                           "2014-01-05T10:30:00+15:00", "2014-01T10", "2014-1-5", "2014-01-05X"}) {
    EXPECT_FALSE(Temporal::ParseDateTime(text)) << text;
  }
  EXPECT_TRUE(Temporal::ParseDateTime("2012-02-29"));
  EXPECT_TRUE(Temporal::ParseDateTime("2014-01-05T10:30:00+14:00"));
  EXPECT_FALSE(Temporal::ParseDate("2014-01-05T10"));
}

TEST(TemporalTest, Hl7Forms) {
  EXPECT_EQ(Print(Temporal::ParseHl7("2014")), "2014");
  EXPECT_EQ(Print(Temporal::ParseHl7("201401051030")), "2014-01-05T10:30");
  EXPECT_EQ(Print(Temporal::ParseHl7("20140105103011.1234-0500")),
            "2014-01-05T10:30:11.1234-05:00");
  for (const char* text :
       {"20140", "2014010", "201413", "20140230", "2014010524", "20140105103060", "20140105.5",
        "20140105103011.12345", "20140105Z", "2014-01-05", "00000101", "20140105103011+0500x"}) {
    EXPECT_FALSE(Temporal::ParseHl7(text)) << text;
  }
  EXPECT_EQ(Print(Temporal::ParseHl7Time("1030")), "10:30");
}

TEST(TemporalTest, ComparisonIsThreeValued) {
  EXPECT_EQ(Compare(Dt("2018-03"), Dt("2018-03-01")), std::nullopt);
  EXPECT_EQ(Compare(Dt("2018-03"), Dt("2018-04-01")), -1);
  EXPECT_EQ(Compare(Dt("2018-03-01T10:30:00"), Dt("2018-03-01T10:30:00.0")), 0);
  EXPECT_EQ(Compare(Dt("2017-11-05T01:30:00.0-04:00"), Dt("2017-11-05T01:15:00.0-05:00")), -1);
  EXPECT_EQ(Compare(Dt("2012-04-15T15:00:00Z"), Dt("2012-04-15T10:00:00")), std::nullopt);
  EXPECT_EQ(Compare(Dt("2012-04-15T15:00:00+02:00"), Dt("2012-04-15T16:00:00+03:00")), 0);
}

TEST(TemporalTest, AddsQuantities) {
  auto add = [](const char* text, const char* amount, const char* unit) {
    bool bad = false;
    auto result = AddQuantity(Dt(text), *Decimal::Parse(amount), unit, true, &bad);
    return bad ? "bad unit" : Print(result);
  };
  EXPECT_EQ(add("1973-12-25", "7.7", "days"), "1974-01-01");
  EXPECT_EQ(add("2012-02-29", "1", "year"), "2013-02-28");
  EXPECT_EQ(add("2014-01-31", "1", "month"), "2014-02-28");
  EXPECT_EQ(add("2014", "24", "months"), "2016");
  EXPECT_EQ(add("2014", "23", "months"), "2015");
  EXPECT_EQ(add("1973-12-25T00:00:00.000+10:00", "-1", "ms"), "1973-12-24T23:59:59.999+10:00");
  EXPECT_EQ(add("1975-12-25", "1", "a"), "bad unit");
  EXPECT_EQ(add("1974-12-25", "1", "cm"), "bad unit");
  EXPECT_EQ(add("9999-12-31", "1", "day"), "none");
}

TEST(TemporalTest, Boundaries) {
  EXPECT_EQ(Print(Boundary(Dt("2014"), false, 6)), "2014-01");
  EXPECT_EQ(Print(Boundary(Dt("2014"), true, 8)), "2014-12-31");
  EXPECT_EQ(Print(Boundary(Dt("2012-02"), true, 8)), "2012-02-29");
  EXPECT_EQ(Print(Boundary(Dt("2014-01-01T08"), false, 17)), "2014-01-01T08:00:00.000+14:00");
  EXPECT_EQ(Print(Boundary(Dt("2014-01-01T08"), true, 17)), "2014-01-01T08:59:59.999-12:00");
  EXPECT_EQ(Print(Boundary(Dt("2014-01-01T08"), true, 9)), "none");
}

// New York, 2007: -5 h until 2007-03-11T07:00Z, -4 h until 2007-11-04T06:00Z, then -5 h.
TEST(TemporalTest, ZoneOverlapTakesTheEarlierInstantAndGapTheOffsetBefore) {
  Zone zone{"America/New_York",
            {{-5'000'000'000, -18000}, {1173596400, -14400}, {1194156000, -18000}}};
  auto at = [&](const char* text) { return OffsetAt(zone, Dt(text).LocalSeconds()) / 3600; };
  EXPECT_EQ(at("2007-03-11T01:59:59"), -5);
  EXPECT_EQ(at("2007-03-11T02:30:00"), -5);  // never was
  EXPECT_EQ(at("2007-03-11T03:00:00"), -4);
  EXPECT_EQ(at("2007-11-04T01:30:00"), -4);  // was twice
  EXPECT_EQ(at("2007-11-04T02:00:00"), -5);
  EXPECT_EQ(at("1900-01-01T00:00:00"), -5);
}

}  // namespace
}  // namespace weir::ir
