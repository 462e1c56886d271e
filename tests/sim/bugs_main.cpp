// weir-sim-bugs: does the simulator notice mistakes? Each one of bugs.py and two of the storage below, alone, until a run fails.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/sim/campaign.h"
#include "tests/sim/seeded.h"

namespace weir::sim {
namespace {

constexpr SeededBug kBugs[] = {
#include "seeded_bugs.inc"
};
constexpr size_t kBugsMin = 12;

struct Mistake {
  std::string_view name, what;
  int number = 0;  // of kBugs, from 1
  bool syncs_lie = false, sync_errors_hidden = false;
};

std::vector<Mistake> Mistakes() {
  std::vector<Mistake> mistakes = {{"skipped_sync", "a sync does nothing", 0, true, false},
                                   {"hidden_sync_error", "a failed sync says that it is done", 0, false, true}};
  for (size_t i = 0; i < std::size(kBugs); ++i) {
    mistakes.push_back({kBugs[i].name, kBugs[i].what, static_cast<int>(i) + 1});
  }
  return mistakes;
}

// The first of so many seeds that fails; 0: none does.
uint64_t Catch(Campaign& campaign, const Mistake& mistake, uint64_t runs, Finding* finding) {
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    const Outcome outcome = campaign.Run(DrawPlan(Random(seed, 5)), {.seed = seed,
                                                                     .syncs_lie = mistake.syncs_lie,
                                                                     .sync_errors_hidden = mistake.sync_errors_hidden,
                                                                     .around_node = [&](bool runs_now) { seeded_bug = runs_now ? mistake.number : 0; }});
    if (!outcome.findings.empty()) {
      *finding = outcome.findings.front();
      return seed;
    }
  }
  return 0;
}

int Main(uint64_t runs, const std::string& only) {
  auto campaign = Campaign::Open();
  if (!campaign) {
    std::fprintf(stderr, "weir-sim-bugs: %s\n", campaign.error().message.c_str());
    return 2;
  }
  size_t caught = 0, tried = 0;
  for (const Mistake& mistake : Mistakes()) {
    if (!only.empty() && mistake.name != only) {
      continue;
    }
    ++tried;
    Finding finding;
    const uint64_t seed = Catch(**campaign, mistake, runs, &finding);
    caught += seed > 0 ? 1 : 0;
    std::fprintf(stderr, "%-22.*s %s\n", static_cast<int>(mistake.name.size()), mistake.name.data(),
                 seed == 0 ? "NOT NOTICED" : ("after " + std::to_string(seed) + " runs: " + std::string(NameOf(finding.wrong)) + ": " + finding.text).c_str());
  }
  std::printf("{\"seeded\":%zu,\"caught\":%zu}\n", tried, caught);
  return caught == tried && (tried >= kBugsMin || !only.empty()) ? 0 : 1;
}

}  // namespace
}  // namespace weir::sim

int main(int argc, char** argv) {
  CLI::App app("weir-sim-bugs: mistakes that the simulator must notice (docs/simulator.md)");
  uint64_t runs = 3000;
  std::string only;
  app.add_option("--runs", runs, "at most, for each");
  app.add_option("--only", only, "this one");
  CLI11_PARSE(app, argc, argv);
  return weir::sim::Main(runs, only);
}
