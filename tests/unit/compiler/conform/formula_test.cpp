#include "compiler/conform/formula.h"

#include <gtest/gtest.h>

#include <functional>

namespace weir::conform {
namespace {

using ir::Max;
using ir::Node;
using ir::Op;

class Conditions {
 public:
  Conditions() { f.Begin(); }

  Node* Make(Op op, const std::string& type, bool required, Max max, std::vector<Node*> kids,
             const std::string& text = "", int64_t number = 0) {
    return module.New(op, {.name = type, .required = required, .max = max}, std::move(kids), text,
                      number);
  }
  // PID-5 repeats, PID-8 does not.
  Node* Field(int64_t number, bool many) {
    Node* segment = Make(Op::kSegments, "v2.segment.PID", true, Max::kOne,
                         {Make(Op::kMessage, "v2.message", true, Max::kOne, {})}, "PID");
    return Make(Op::kField, many ? "v2.XPN" : "v2.CWE", false, many ? Max::kMany : Max::kOne,
                {segment}, "", number);
  }
  Node* First(Node* of) { return Make(Op::kCall, of->type.name, false, Max::kOne, {of}, "first"); }
  Node* Component(Node* of, int64_t number) {
    return Make(Op::kComponent, "v2.ST", false, of->type.max, {of}, "", number);
  }
  Node* TextOf(Node* of) { return Make(Op::kText, "System.String", false, of->type.max, {of}); }
  Node* Literal(const std::string& text) {
    return Make(Op::kLiteral, "System.String", true, Max::kOne, {}, text);
  }
  Node* Exists(Node* of) {
    return Make(Op::kCall, "System.Boolean", true, Max::kOne, {of}, "exists");
  }
  Node* Empty(Node* of) {
    return Make(Op::kCall, "System.Boolean", true, Max::kOne, {of}, "empty");
  }
  Node* Not(Node* of) { return Make(Op::kCall, "System.Boolean", true, Max::kOne, {of}, "not"); }
  Node* Join(const std::string& op, Node* a, Node* b) {
    return Make(Op::kBinary, "System.Boolean", true, Max::kOne, {a, b}, op);
  }
  Node* Is(Node* a, const std::string& text) { return Join("=", TextOf(a), Literal(text)); }
  Node* Choose(Node* condition, Node* yes, Node* no) {
    return Make(Op::kCall, yes->type.name, false, Max::kOne, {Literal("x"), condition, yes, no},
                "iif", (slots_used += 3) - 3);
  }
  Node* Lookup(Node* of, int64_t column) {
    return Make(Op::kLookup, "System.String", false, Max::kOne, {TextOf(of)}, "sex", column);
  }
  bool Proves(const std::vector<Node*>& given, Node* goal) {
    std::vector<Formula> known;
    for (Node* one : given) {
      known.push_back(f.Of(one).yes);
    }
    return f.Proved(f.Of(goal).yes, known);
  }

  ir::Module module;
  int64_t slots_used = 10;
  int64_t* slots = &slots_used;
  Formulas f{module, slots};
};

TEST(Formula, ProvesWhatFollows) {
  Conditions c;
  ir::Table& table = c.module.tables.emplace_back();
  table.name = "sex";
  table.rows = {{"F", "female", "", "s"}, {"M", "male", "", "s"}};
  auto sex = [&] { return c.Field(8, false); };
  auto name = [&] { return c.Field(5, true); };
  auto yes = c.Join("=", c.Literal("a"), c.Literal("a"));
  struct Case {
    const char* what;
    std::vector<Node*> given;
    Node* goal;
    bool proved;
  };
  const Case cases[] = {
      {"a constant", {}, yes, true},
      {"nothing of a path", {}, c.Exists(sex()), false},
      {"excluded middle", {}, c.Join("or", c.Exists(sex()), c.Empty(sex())), true},
      {"a component is there only where its field is",
       {c.Exists(c.Component(sex(), 1))},
       c.Exists(sex()),
       true},
      {"a field does not make its component",
       {c.Exists(sex())},
       c.Exists(c.Component(sex(), 1)),
       false},
      {"what equals something is there",
       {c.Is(c.Component(sex(), 1), "F")},
       c.Exists(c.Component(sex(), 1)),
       true},
      {"one value equals one literal",
       {c.Is(c.Component(sex(), 1), "F")},
       c.Not(c.Is(c.Component(sex(), 1), "M")),
       true},
      {"an absent value is not unequal",
       {},
       c.Join("or", c.Is(c.Component(sex(), 1), "F"), c.Not(c.Is(c.Component(sex(), 1), "F"))),
       false},
      {"a first item where there are items", {c.Exists(name())}, c.Exists(c.First(name())), true},
      {"the first item is one of them",
       {c.Exists(c.Component(c.First(name()), 2))},
       c.Exists(name()),
       true},
      {"a composite's text may be absent", {c.Exists(sex())}, c.Exists(c.TextOf(sex())), false},
      {"text with a constant is there",
       {},
       c.Exists(c.Make(Op::kBinary, "System.String", true, Max::kOne,
                       {c.Literal("x"), c.TextOf(sex())}, "&")),
       true},
      {"one branch or the other",
       {},
       c.Exists(c.Choose(c.Exists(sex()), c.Literal("a"), c.Literal("b"))),
       true},
      {"a branch that may be absent",
       {},
       c.Exists(c.Choose(c.Exists(sex()), c.Literal("a"), c.TextOf(c.Component(sex(), 2)))),
       false},
      {"what is found was looked up",
       {c.Exists(c.Lookup(c.Component(sex(), 1), 0))},
       c.Exists(c.Component(sex(), 1)),
       true},
      {"a row found has its system",
       {c.Exists(c.Lookup(c.Component(sex(), 1), 0))},
       c.Exists(c.Lookup(c.Component(sex(), 1), 2)),
       true},
      {"the only system a table has",
       {c.Exists(c.Lookup(c.Component(sex(), 1), 0))},
       c.Join("=", c.Lookup(c.Component(sex(), 1), 2), c.Literal("s")),
       true},
      {"a code no row leads to",
       {},
       c.Not(c.Exists(c.Choose(c.Join("=", c.Lookup(c.Component(sex(), 1), 0), c.Literal("other")),
                               c.Literal("a"), c.Make(Op::kEmpty, "any", false, Max::kZero, {})))),
       true},
      {"cases",
       {c.Join("or", c.Is(sex(), "A"), c.Is(sex(), "B")), c.Not(c.Is(sex(), "A"))},
       c.Is(sex(), "B"),
       true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(c.Proves(one.given, one.goal), one.proved) << one.what;
  }
}

TEST(Formula, WhatHoldsOfThePickedHoldsOfSome) {
  Conditions c;
  Node* names = c.Field(5, true);
  int64_t slot = c.f.NewSlots(1);
  Node* item = c.f.Var(slot, "v2.XPN");
  Formula has_family = c.f.Exists(c.Component(item, 1));
  Formula some =
      c.f.Some({{.kind = Step::Kind::kEach, .condition = {}, .collection = names, .slot = slot}},
               has_family);
  Formula first = c.f.Of(c.Exists(c.Component(c.First(c.Field(5, true)), 1))).yes;
  EXPECT_TRUE(c.f.Proved(some, {first}));
  EXPECT_FALSE(c.f.Proved(first, {some}));
  EXPECT_TRUE(c.f.Proved(c.f.Of(c.Exists(c.Field(5, true))).yes, {some}));
}

// Every condition written out is the formula again, and no longer than what is given makes needed.
TEST(Formula, ConditionsSayTheFormula) {
  Conditions c;
  std::vector<Formula> atoms;
  for (int64_t field = 1; field <= 4; ++field) {
    atoms.push_back(c.f.Of(c.Exists(c.Field(field, false))).yes);
  }
  for (uint32_t function = 0; function < 1u << 16;
       function += 37) {  // functions of four atoms, as truth tables
    Formula formula = Never();
    for (uint32_t row = 0; row < 16; ++row) {
      if ((function >> row & 1) == 0) {
        continue;
      }
      Formula product = Always();
      for (uint32_t atom = 0; atom < 4; ++atom) {
        product = c.f.And(product, (row >> atom & 1) != 0 ? atoms[atom] : c.f.Not(atoms[atom]));
      }
      formula = c.f.Or(formula, product);
    }
    ASSERT_EQ(c.f.Of(c.f.Part(formula)).yes.ref, formula.ref) << function;
  }
  Node* condition = c.f.Condition(c.f.And(atoms[0], atoms[1]), {atoms[0]});
  ASSERT_NE(condition, nullptr);
  EXPECT_EQ(ir::Print(*condition).find("#1 "), std::string::npos)
      << "what is given is not asked: " << ir::Print(*condition);
}

TEST(Formula, TooLargeIsNotProved) {
  Conditions c;
  Formula hard = Never();  // x1 y1 or x2 y2 …, in the worst order of variables
  std::vector<Formula> left, right;
  for (int64_t field = 1; field <= 40; ++field) {
    left.push_back(c.f.Of(c.Exists(c.Field(field, false))).yes);
  }
  for (int64_t field = 101; field <= 140; ++field) {
    right.push_back(c.f.Of(c.Exists(c.Field(field, false))).yes);
  }
  for (size_t i = 0; i < left.size(); ++i) {
    hard = c.f.Or(hard, c.f.And(left[i], right[i]));
  }
  EXPECT_TRUE(c.f.full());
  EXPECT_FALSE(c.f.Proved(Always(), {}));
  EXPECT_EQ(c.f.Condition(hard), nullptr);
}

}  // namespace
}  // namespace weir::conform
