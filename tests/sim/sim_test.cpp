// The simulator itself, the seeds that once failed, and a sample of others; scripts/torture runs thousands.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/sim/campaign.h"

namespace weir::sim {
namespace {

std::unique_ptr<Campaign> Open() {
  auto opened = Campaign::Open();
  EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
  return std::move(*opened);
}

// Another campaign, so that nothing is left over from before.
TEST(Simulator, TheSameSeedIsTheSameRun) {
  const auto first = Open(), second = Open();
  std::set<uint64_t> traces;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome outcome = first->Run(seed);
    EXPECT_EQ(outcome.trace, second->Run(seed).trace) << seed;
    EXPECT_EQ(outcome.trace, first->Run(seed).trace) << seed;
    traces.insert(outcome.trace);
  }
  EXPECT_EQ(traces.size(), 20u);
}

TEST(Simulator, SeedsThatOnceFailed) {
  const auto campaign = Open();
  std::ifstream in(WEIR_SOURCE_DIR "/tests/sim/seeds");
  ASSERT_TRUE(in);
  uint64_t seen = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    if (uint64_t seed; words >> seed) {
      const Outcome outcome = campaign->Run(seed);
      EXPECT_TRUE(outcome.findings.empty()) << line << "\n" << Text(outcome.findings);
      ++seen;
    }
  }
  EXPECT_GT(seen, 4u);
}

TEST(Simulator, ASampleOfSeeds) {
  const auto campaign = Open();
  std::map<std::string, uint64_t, std::less<>> met;
  for (uint64_t seed = 500'001; seed <= 500'400; ++seed) {
    const Outcome outcome = campaign->Run(seed);
    EXPECT_TRUE(outcome.findings.empty()) << "again with: weir-sim --seed " << seed << " --trace\n" << Text(outcome.findings);
    for (const auto& [name, count] : outcome.met) {
      met[name] += count;
    }
  }
  for (const char* name : {"clock jump", "cut connection", "disk full", "power cut", "process failed", "process killed", "process stopped",
                           "silent connection", "sync error", "write error"}) {
    EXPECT_GT(met[name], 5u) << name;
  }
}

}  // namespace
}  // namespace weir::sim
