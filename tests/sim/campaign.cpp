#include "tests/sim/campaign.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weir::sim {
namespace {

constexpr uint64_t kWorkloads = 200;  // more seeds share them, with other plans
constexpr uint64_t kAdtEvery = 10;    // one run in so many is of examples/adt and its samples, which cost more

}  // namespace

Result<std::unique_ptr<Campaign>> Campaign::Open() {
  auto campaign = std::unique_ptr<Campaign>(new Campaign);
  auto small = Feed::Open(WEIR_SIM_PACKAGES "/sim.weirpkg", {});
  if (!small) {
    return small.error();
  }
  auto adt = Feed::Open(WEIR_SIM_PACKAGES "/adt.weirpkg", {WEIR_SOURCE_DIR "/examples/adt/messages"});
  if (!adt) {
    return adt.error();
  }
  campaign->small_ = std::move(*small);
  campaign->adt_ = std::move(*adt);
  campaign->key_file_ = std::filesystem::temp_directory_path() / ("weir-sim-key." + std::to_string(getpid()));
  std::ofstream(campaign->key_file_) << std::string(64, 'a') << '\n';
  return campaign;
}

Campaign::~Campaign() {
  std::error_code gone;
  std::filesystem::remove(key_file_, gone);
}

Outcome Campaign::Run(const Plan& plan, RunOptions options) {
  const bool adt = options.seed % kAdtEvery == 0;
  Feed& feed = adt ? *adt_ : *small_;
  const uint64_t number = options.seed / kAdtEvery % kWorkloads;
  auto found = workloads_.find({adt, number});
  if (found == workloads_.end()) {
    found = workloads_.emplace(std::pair(adt, number), MakeWorkload(feed, Random(number, 77))).first;
  }
  options.key_file = key_file_;
  return RunOnce(feed, found->second, plan, options);
}

std::string_view NameOf(Wrong wrong) { return kWrongNames[static_cast<size_t>(wrong)]; }

std::string Text(const std::vector<Finding>& findings, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(most, findings.size()); ++i) {
    text += std::string(NameOf(findings[i].wrong)) + ": " + findings[i].text + "\n";
  }
  return text;
}

}  // namespace weir::sim
