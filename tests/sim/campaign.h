// Runs by seed: the seed alone decides feed, messages and plan. Packages are loaded and straight runs made once.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/sim/run.h"

namespace weir::sim {

class Campaign {
 public:
  // The packages that the build made (tests/sim/CMakeLists.txt).
  static Result<std::unique_ptr<Campaign>> Open();
  ~Campaign();

  Outcome Run(uint64_t seed, bool prints = false) { return Run(DrawPlan(Random(seed, 5)), {.seed = seed, .prints = prints}); }
  Outcome Run(const Plan& plan, RunOptions options);

 private:
  Campaign() = default;

  std::unique_ptr<Feed> small_, adt_;
  std::map<std::pair<bool, uint64_t>, Workload> workloads_;
  std::string key_file_;
};

std::string_view NameOf(Wrong wrong);
// "lost: message 3: …", one line each, at most `most`.
std::string Text(const std::vector<Finding>& findings, size_t most = 5);

}  // namespace weir::sim
