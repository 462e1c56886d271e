// Expressions: what tree each form gives, and the bounds on their depth.
#include <gtest/gtest.h>

#include "tests/unit/compiler/syntax/test_util.h"

namespace weir::syntax {
namespace {

struct Case {
  const char* text;
  const char* tree;
};

TEST(Expr, Trees) {
  const Case kCases[] = {
      // FHIRPath's precedence
      {"1 + 2 * 3", "(Binary + (Integer 1) (Binary * (Integer 2) (Integer 3)))"},
      {"a or b and c", "(Binary or (Name a) (Binary and (Name b) (Name c)))"},
      {"a | b = c", "(Binary = (Binary | (Name a) (Name b)) (Name c))"},
      {"a = b in c", "(Binary in (Binary = (Name a) (Name b)) (Name c))"},
      {"a is Quantity | b", "(Binary | (TypeOp is Quantity (Name a)) (Name b))"},
      {"-1.abs()", "(Unary - (Call . abs (Integer 1)))"},
      {"a implies b implies c", "(Binary implies (Binary implies (Name a) (Name b)) (Name c))"},
      {"a - b - c", "(Binary - (Binary - (Name a) (Name b)) (Name c))"},
      {"x as System.Decimal", "(TypeOp as System.Decimal (Name x))"},
      // literals
      {"{}", "(Empty)"},
      {"'a\\'b\\u00e9'", "(String a'b\u00e9)"},
      {"@2015-02-04T14:34:28.123+09:00", "(DateTime 2015-02-04T14:34:28.123+09:00)"},
      {"@2015T", "(DateTime 2015T)"},
      {"@2015-02", "(Date 2015-02)"},
      {"@T14:34", "(Time 14:34)"},
      {"4 days", "(Quantity 4 'days')"},
      {"1.50 'mg'", "(Quantity 1.50 'mg')"},
      {"%ucum", "(Env ucum)"},
      {"%`ext-patient-birthTime`", "(Env ext-patient-birthTime)"},
      {"%'vs-administrative-gender'", "(Env vs-administrative-gender)"},
      // names and calls
      {"Patient.name.given.first()", "(Call . first (Member given (Member name (Name Patient))))"},
      {"iif(a, b, {})", "(Call iif (Name a) (Name b) (Empty))"},
      {"`is`.contains.where($this = 1)",
       "(Call . where (Member contains (Name is)) (Binary = (This) (Integer 1)))"},
      {"as.in.div", "(Member div (Member in (Name as)))"},
      {"contains contains contains", "(Binary contains (Name contains) (Name contains))"},
      {"a[0]", "(Index (Name a) (Integer 0))"},
      {"a[$index + 1].b", "(Member b (Index (Name a) (Binary + (IndexVar) (Integer 1))))"},
      // v2 paths
      {"PID-5", "(V2Field PID #5)"},
      {"PID-5.1.2", "(Step #2 (Step #1 (V2Field PID #5)))"},
      {".1", "(Step #1 (This))"},
      {"cx.4.2", "(Step #2 (Step #4 (Name cx)))"},
      {"x + 4.2", "(Binary + (Name x) (Decimal 4.2))"},
      {"PID - 5", "(Binary - (Name PID) (Integer 5))"},
      {"a-1", "(Binary - (Name a) (Integer 1))"},
      {"PID-3#2.1", "(Step #1 (Repeat #2 (V2Field PID #3)))"},
      {"INSURANCE.IN1-2", "(V2Field IN1 #2 (Name INSURANCE))"},
      {"PID-3[authority east, type MR].single()",
       "(Call . single (Filter (V2Field PID #3) (Criterion authority 'east') (Criterion type "
       "'MR')))"},
      {"PID-3[.5 = 'MR' and .4.exists()]",
       "(Filter (V2Field PID #3) (Binary and (Binary = (Step #5 (This)) (String MR)) (Call . "
       "exists (Step #4 (This)))))"},
      {"x[type = 'MR']", "(Filter (Name x) (Binary = (Name type) (String MR)))"},
      {"PID.patientName.familyName", "(Member familyName (Member patientName (Name PID)))"},
  };
  for (const Case& c : kCases) {
    Parsed parsed = ParseExpr(c.text);
    ASSERT_NE(parsed.expr, nullptr) << c.text << "\n" << parsed.Errors();
    EXPECT_EQ(ast::Print(*parsed.expr), c.tree) << c.text;
  }
}

TEST(Expr, RefusesWhatIsNone) {
  for (const char* text : {"", "2 + 2 /", "a b", "a..b", "(a", "a)", "f(,)", "a[]", "'open", "a.",
                           "@20", "1.2.3", "a ? b", "$that", "x == y", "/* open"}) {
    Parsed parsed = ParseExpr(text);
    EXPECT_EQ(parsed.expr, nullptr) << text;
    EXPECT_GE(parsed.sink.error_count(), 1u) << text;
  }
}

TEST(Expr, SpansAreExact) {
  Parsed parsed = ParseExpr("a.where(b = 'é').c + (PID-5.1)");
  ASSERT_NE(parsed.expr, nullptr) << parsed.Errors();
  auto text = [&](Span span) { return std::string(parsed.files[span.file].Text(span)); };
  const ast::Expr& sum = *parsed.expr;
  EXPECT_EQ(text(sum.span), "a.where(b = 'é').c + (PID-5.1)");
  EXPECT_EQ(text(sum.name_span), "+");
  EXPECT_EQ(text(sum.kids[0]->span), "a.where(b = 'é').c");
  EXPECT_EQ(text(sum.kids[0]->name_span), "c");
  EXPECT_EQ(text(sum.kids[0]->kids[0]->span), "a.where(b = 'é')");
  EXPECT_EQ(text(sum.kids[0]->kids[0]->name_span), "where");
  EXPECT_EQ(text(sum.kids[1]->span), "(PID-5.1)");
  EXPECT_TRUE(sum.kids[1]->parenthesized);
  EXPECT_EQ(text(sum.kids[1]->name_span), ".1");
}

std::string Repeat(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

TEST(Expr, DepthIsBounded) {
  ParseOptions options;
  for (auto [open, close] :
       {std::pair{"(", ")"}, std::pair{"f(", ")"}, std::pair{"a[", "]"}, std::pair{"- ", ""}}) {
    Parsed at = ParseExpr(Repeat(open, options.max_depth) + "1" + Repeat(close, options.max_depth),
                          options);
    EXPECT_NE(at.expr, nullptr) << open << at.Errors();
    Parsed past = ParseExpr(
        Repeat(open, options.max_depth + 1) + "1" + Repeat(close, options.max_depth + 1), options);
    EXPECT_EQ(past.expr, nullptr) << open;
    ASSERT_EQ(past.sink.diagnostics().size(), 1u) << open << past.Errors();
    EXPECT_EQ(past.sink.diagnostics()[0].kind, DiagnosticKind::kTooDeep) << open;
  }
}

TEST(Expr, ChainsAreBounded) {
  ParseOptions options;
  for (const char* link : {" + a", ".a", ".1", " and a"}) {
    EXPECT_NE(ParseExpr("a" + Repeat(link, options.max_chain), options).expr, nullptr) << link;
    Parsed past = ParseExpr("a" + Repeat(link, options.max_chain + 1), options);
    EXPECT_EQ(past.expr, nullptr) << link;
    ASSERT_FALSE(past.sink.diagnostics().empty());
    EXPECT_EQ(past.sink.diagnostics()[0].kind, DiagnosticKind::kTooDeep) << link;
  }
  // Commas in arguments do not reset the chain they stand in.
  EXPECT_EQ(ParseExpr("f(a, b)" + Repeat(" + f(a, b)", options.max_chain + 1), options).expr,
            nullptr);
}

}  // namespace
}  // namespace weir::syntax
