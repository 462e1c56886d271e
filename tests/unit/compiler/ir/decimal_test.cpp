#include "compiler/ir/interp/decimal.h"

#include <gtest/gtest.h>

#include "compiler/ir/interp/siphash.h"
#include "compiler/ir/interp/text.h"

namespace weir::ir {
namespace {

Decimal D(const char* text) { return *Decimal::Parse(text); }
std::string S(const std::optional<Decimal>& value) { return value ? value->ToString() : "none"; }

TEST(DecimalTest, KeepsWhatWasWritten) {
  for (const char* text :
       {"0", "1.50", "-0.05", "100", "0.00000001", "1234567890987654321.0", "-7"}) {
    EXPECT_EQ(D(text).ToString(), text);
  }
  EXPECT_EQ(D("+1.5").ToString(), "1.5");
  EXPECT_EQ(D("1.5e3").ToString(), "1500");
  EXPECT_EQ(D("15e-2").ToString(), "0.15");
  for (const char* text : {"", "-", ".", "1.", ".5", "1.2.3", "1a", "1e", "1e99"}) {
    EXPECT_FALSE(Decimal::Parse(text)) << text;
  }
}

TEST(DecimalTest, ArithmeticIsExact) {
  EXPECT_EQ(S(Add(D("1.2"), D("1.8"))), "3.0");
  EXPECT_EQ(S(Add(D("0.1"), D("0.2"))), "0.3");
  EXPECT_EQ(S(Subtract(D("1"), D("0.9999"))), "0.0001");
  EXPECT_EQ(S(Multiply(D("1.2"), D("1.8"))), "2.16");
  EXPECT_EQ(S(Divide(D("1"), D("3"))), "0.3333333333333333");
  EXPECT_EQ(S(Divide(D("2"), D("3"))), "0.6666666666666667");
  EXPECT_EQ(S(Divide(D("-2"), D("3"))), "-0.6666666666666667");
  EXPECT_EQ(S(Divide(D("4.0"), D("2.0"))), "2");
  EXPECT_EQ(S(Divide(D("1"), D("0"))), "none");
  EXPECT_EQ(S(IntegerDivide(D("-5"), D("2"))), "-2");
  EXPECT_EQ(S(Modulo(D("2.2"), D("1.8"))), "0.4");
  EXPECT_EQ(S(Modulo(D("-5"), D("3"))), "-2");
  EXPECT_LT(Compare(D("1.10"), D("1.2")), 0);
  EXPECT_EQ(Compare(D("1.10"), D("1.1")), 0);
}

TEST(DecimalTest, OverflowIsNothing) {
  const char* great = "170141183460469231731687303715884105727";
  EXPECT_EQ(D(great).ToString(), great);
  EXPECT_FALSE(Decimal::Parse("170141183460469231731687303715884105728"));
  EXPECT_FALSE(Add(D(great), D("1")));
  EXPECT_FALSE(Multiply(D(great), D("2")));
  EXPECT_GT(Compare(D(great), D("0.1")), 0);
}

TEST(DecimalTest, Rounds) {
  EXPECT_EQ(S(D("2.5").RoundTo(0, Decimal::Round::kHalfAway)), "3");
  EXPECT_EQ(S(D("-2.5").RoundTo(0, Decimal::Round::kHalfAway)), "-3");
  EXPECT_EQ(S(D("-2.1").RoundTo(0, Decimal::Round::kFloor)), "-3");
  EXPECT_EQ(S(D("2.1").RoundTo(0, Decimal::Round::kCeiling)), "3");
  EXPECT_EQ(S(D("-1.9").RoundTo(0, Decimal::Round::kTruncate)), "-1");
  EXPECT_EQ(S(D("1.5").RoundTo(3, Decimal::Round::kFloor)), "1.500");
}

// The reference implementation's vectors (veorq/SipHash, vectors.h, 128 bits): key 00..0f, input
// 00, 01, 02, …
TEST(SipHashTest, ReferenceVectors) {
  std::string key, input;
  for (char c = 0; c < 16; ++c) {
    key.push_back(c);
  }
  EXPECT_EQ(ToHex(SipHash128(key, input)), "a3817f04ba25a8e66df67214c7550293");
  input.push_back(0);
  EXPECT_EQ(ToHex(SipHash128(key, input)), "da87c1d86b99af44347659119b22fc45");
}

TEST(TextTest, Utf8AndBase64) {
  EXPECT_TRUE(IsUtf8("h\xC3\xA9llo \xF0\x9F\x98\x80"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xE2\x82", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
  EXPECT_EQ(CodePoints("h\xC3\xA9"), 2u);
  for (const char* text : {"", "a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(FromBase64(ToBase64(text, false), false), text);
  }
  EXPECT_EQ(FromBase64("YQ=", false), std::nullopt);
  EXPECT_EQ(FromBase64("Y=Q=", false), std::nullopt);
}

}  // namespace
}  // namespace weir::ir
