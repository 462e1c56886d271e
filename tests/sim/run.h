// One simulated run: a node and its senders through everything a plan has in store, until all is answered and the node has stopped;
// then the verdict.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/sim/judge.h"
#include "tests/sim/plan.h"

namespace weir::sim {

struct RunOptions {
  uint64_t seed = 0;
  bool prints = false;   // the trace
  std::string key_file{};  // of encrypted hubs
  // Mistakes made on purpose: of the storage, and of the node as it begins to run (true) and ends (false).
  bool syncs_lie = false, sync_errors_hidden = false;
  std::function<void(bool)> around_node = [](bool) {};
};

struct Outcome {
  std::vector<Finding> findings;
  uint64_t trace = 0;
  uint64_t lives = 0, turns = 0;
  int64_t records = 0, answers = 0, simulated_us = 0;
  int64_t node_bytes_max = 0;  // of its own heap
  std::map<std::string, uint64_t, std::less<>> met;  // faults by name
};

Outcome RunOnce(Feed& feed, const Workload& workload, const Plan& plan, const RunOptions& options);

}  // namespace weir::sim
