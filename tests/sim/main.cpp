// weir-sim: simulated runs by seed. `weir-sim --seed N --trace` shows all that happens in one.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "tests/sim/campaign.h"

namespace {

using weir::sim::Campaign;
using weir::sim::Finding;
using weir::sim::Outcome;

struct Arguments {
  uint64_t runs = 1, seed = 1;
  bool trace = false, json = false;
};

struct Totals {
  uint64_t failed = 0, lives = 0;
  int64_t records = 0, answers = 0, simulated_us = 0, node_bytes_max = 0;
  std::map<std::string, uint64_t, std::less<>> met;
  std::array<uint64_t, weir::sim::kWrongNames.size()> wrong{};  // runs with such a finding
  std::vector<uint64_t> seeds;                                  // that failed

  void Add(uint64_t seed, const Outcome& outcome) {
    lives += outcome.lives;
    records += outcome.records;
    answers += outcome.answers;
    simulated_us += outcome.simulated_us;
    node_bytes_max = std::max(node_bytes_max, outcome.node_bytes_max);
    for (const auto& [name, count] : outcome.met) {
      met[name] += count;
    }
    std::array<bool, weir::sim::kWrongNames.size()> found{};
    for (const Finding& finding : outcome.findings) {
      found[static_cast<size_t>(finding.wrong)] = true;
    }
    for (size_t i = 0; i < found.size(); ++i) {
      wrong[i] += found[i] ? 1 : 0;
    }
    if (!outcome.findings.empty()) {
      ++failed;
      seeds.push_back(seed);
    }
  }
};

void PrintJson(const Totals& totals, uint64_t runs) {
  std::printf("{\"runs\":%llu,\"failed\":%llu", static_cast<unsigned long long>(runs), static_cast<unsigned long long>(totals.failed));
  for (size_t i = 0; i < totals.wrong.size(); ++i) {
    std::printf(",\"%s\":%llu", std::string(weir::sim::kWrongNames[i]).c_str(), static_cast<unsigned long long>(totals.wrong[i]));
  }
  std::printf(",\"lives\":%llu,\"records\":%lld,\"answers\":%lld,\"simulated_seconds\":%.0f,\"faults\":{", static_cast<unsigned long long>(totals.lives),
              static_cast<long long>(totals.records), static_cast<long long>(totals.answers), static_cast<double>(totals.simulated_us) / 1e6);
  const char* comma = "";
  for (const auto& [name, count] : totals.met) {
    std::printf("%s\"%s\":%llu", comma, name.c_str(), static_cast<unsigned long long>(count));
    comma = ",";
  }
  std::printf("},\"seeds\":[");
  for (size_t i = 0; i < totals.seeds.size(); ++i) {
    std::printf("%s%llu", i == 0 ? "" : ",", static_cast<unsigned long long>(totals.seeds[i]));
  }
  std::printf("]}\n");
}

void PrintText(const Totals& totals, uint64_t runs, double seconds) {
  std::printf("%llu runs, %llu failed, %.1f runs/s; %llu lives of the node, %lld records, %lld answers, %.0f s simulated, %.1f MB of the node\n",
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(totals.failed), static_cast<double>(runs) / seconds,
              static_cast<unsigned long long>(totals.lives), static_cast<long long>(totals.records), static_cast<long long>(totals.answers),
              static_cast<double>(totals.simulated_us) / 1e6, static_cast<double>(totals.node_bytes_max) / 1e6);
  for (const auto& [name, count] : totals.met) {
    std::printf("  %-20s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("weir-sim: the node in a simulated world (docs/simulator.md)");
  Arguments arguments;
  app.add_option("--runs", arguments.runs, "seeds from --seed on")->check(CLI::Range(1, 100'000'000));
  app.add_option("--seed", arguments.seed, "the first");
  app.add_flag("--trace", arguments.trace, "print what happens");
  app.add_flag("--json", arguments.json, "one line of JSON");
  CLI11_PARSE(app, argc, argv);
  auto campaign = Campaign::Open();
  if (!campaign) {
    std::fprintf(stderr, "weir-sim: %s\n", campaign.error().message.c_str());
    return 2;
  }
  Totals totals;
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t seed = arguments.seed; seed < arguments.seed + arguments.runs; ++seed) {
    const Outcome outcome = (*campaign)->Run(seed, arguments.trace);
    totals.Add(seed, outcome);
    if (!outcome.findings.empty()) {
      std::fprintf(stderr, "seed %llu, again with: weir-sim --seed %llu --trace\n%s", static_cast<unsigned long long>(seed),
                   static_cast<unsigned long long>(seed), Text(outcome.findings).c_str());
    }
    if (arguments.runs == 1 && !arguments.json) {
      std::printf("trace %016llx\n", static_cast<unsigned long long>(outcome.trace));
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    PrintJson(totals, arguments.runs);
  } else {
    PrintText(totals, arguments.runs, seconds);
  }
  return totals.failed == 0 ? 0 : 1;
}
