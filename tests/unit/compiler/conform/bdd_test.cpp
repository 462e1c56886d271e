#include "compiler/conform/bdd.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::conform {
namespace {

constexpr uint32_t kVariables = 6;

// A diagram and the same function as a table of 64 answers.
struct Both {
  Bdd::Ref diagram;
  uint64_t table;
};

TEST(Bdd, SaysWhatTruthTablesSay) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    Bdd bdd;
    bdd.Clear(10'000);
    std::vector<Both> made = {{Bdd::kFalse, 0}, {Bdd::kTrue, ~uint64_t{0}}};
    for (uint32_t variable = 0; variable < kVariables; ++variable) {
      uint64_t table = 0;
      for (uint64_t row = 0; row < 64; ++row) {
        table |= (row >> variable & 1) << row;
      }
      made.push_back({bdd.Variable(variable), table});
    }
    for (int step = 0; step < 30; ++step) {
      Both f = made[random() % made.size()], g = made[random() % made.size()],
           h = made[random() % made.size()];
      made.push_back(
          {bdd.Ite(f.diagram, g.diagram, h.diagram), (f.table & g.table) | (~f.table & h.table)});
    }
    for (const Both& a : made) {
      for (const Both& b : made) {
        ASSERT_EQ(a.diagram == b.diagram, a.table == b.table) << "one function, one number";
      }
      uint32_t variable = random() % kVariables;
      uint64_t high = 0;
      for (uint64_t row = 0; row < 64; ++row) {
        high |= (a.table >> (row | uint64_t{1} << variable) & 1) << row;
      }
      Bdd::Ref with = bdd.With(a.diagram, variable, true);
      ASSERT_TRUE(
          std::any_of(made.begin(), made.end(),
                      [&](const Both& b) { return b.diagram == with && b.table == high; }) ||
          std::none_of(made.begin(), made.end(), [&](const Both& b) { return b.table == high; }));
    }
    ASSERT_FALSE(bdd.full());
  }
}

TEST(Bdd, StopsAtItsLimit) {
  Bdd bdd;
  bdd.Clear(20);
  Bdd::Ref odd = Bdd::kFalse;  // parity needs two nodes a variable
  for (uint32_t variable = 0; variable < 30; ++variable) {
    Bdd::Ref one = bdd.Variable(variable);
    odd = bdd.Ite(one, bdd.Not(odd), odd);
  }
  EXPECT_TRUE(bdd.full());
  bdd.Clear(20);
  EXPECT_FALSE(bdd.full());
  EXPECT_NE(bdd.Variable(3), Bdd::kFalse);
}

}  // namespace
}  // namespace weir::conform
