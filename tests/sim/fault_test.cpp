// The numbered faults that a simulated world can make, each alone and often. Whatever happened, the senders' account and the hub must
// agree (judge.h); a test only says which fault, and that it did happen.
#include <gtest/gtest.h>

#include <functional>

#include "tests/sim/campaign.h"

namespace weir::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;

Campaign& Shared() {
  static const std::unique_ptr<Campaign> campaign = [] {
    auto opened = Campaign::Open();
    EXPECT_TRUE(opened.ok());
    return std::move(*opened);
  }();
  return *campaign;
}

// Nothing goes wrong, and senders behave.
Plan Peace() {
  Plan plan;
  plan.calm_us = 10 * kSecond;
  plan.manners.again = 0;
  plan.manners.think_us = 300'000;
  plan.tiny_segments = 0;
  return plan;
}

// `count` runs of plans that `change` makes from peace; by name, how often each fault was met.
std::map<std::string, uint64_t, std::less<>> Runs(uint64_t first_seed, uint64_t count, const std::function<void(Plan*, uint64_t)>& change) {
  std::map<std::string, uint64_t, std::less<>> met;
  for (uint64_t i = 0; i < count; ++i) {
    Plan plan = Peace();
    change(&plan, i);
    const Outcome outcome = Shared().Run(plan, {.seed = first_seed + i});
    EXPECT_TRUE(outcome.findings.empty()) << "run " << i << ", seed " << first_seed + i << "\n" << Text(outcome.findings);
    EXPECT_GT(outcome.answers, 0);
    for (const auto& [name, times] : outcome.met) {
      met[name] += times;
    }
  }
  return met;
}

std::map<std::string, uint64_t, std::less<>> DeathsAt(io::SyncPoint point, uint64_t first_seed) {
  return Runs(first_seed, 20, [&](Plan* plan, uint64_t i) {
    for (int life = 0; life < 3; ++life) {
      plan->deaths.push_back({.point = static_cast<int>(point), .count = 1 + static_cast<int>(i) % 5 + life, .power = i % 2 == 1});
    }
  });
}

TEST(Faults, PeaceIsQuiet) {
  const auto met = Runs(1000, 20, [](Plan*, uint64_t) {});
  EXPECT_EQ(met.size(), 1u);
  EXPECT_EQ(met.at("process stopped"), 20u);
}

TEST(Faults, F01_KilledBeforeCommit) {
  const auto met = DeathsAt(io::SyncPoint::kPreCommit, 1100);
  EXPECT_GT(met.at("process killed"), 10u);
  EXPECT_GT(met.at("power cut"), 10u);
}

TEST(Faults, F02_KilledBetweenCommitAndAnswer) {
  EXPECT_GT(DeathsAt(io::SyncPoint::kPostCommit, 1200).at("process killed"), 10u);
  EXPECT_GT(DeathsAt(io::SyncPoint::kPreAnswer, 1230).at("process killed"), 10u);
}

TEST(Faults, F03_KilledAfterAnswer) { EXPECT_GT(DeathsAt(io::SyncPoint::kPostAnswer, 1300).at("power cut"), 10u); }

TEST(Faults, F03_KilledAroundTheMoveOfAFile) {
  EXPECT_GT(DeathsAt(io::SyncPoint::kPreRename, 1330).at("process killed"), 2u);
  EXPECT_GT(DeathsAt(io::SyncPoint::kPostRename, 1360).at("power cut"), 2u);
}

TEST(Faults, F04_KilledAtAnyTime) {
  const auto met = Runs(1400, 40, [](Plan* plan, uint64_t i) {
    for (int life = 0; life < 6; ++life) {
      plan->deaths.push_back({.after_us = static_cast<int64_t>(1 + i * 37'000 + static_cast<uint64_t>(life) * 211'000)});
    }
  });
  EXPECT_GT(met.at("process killed"), 100u);
}

// In the middle of the n-th change to the disk: of WAL frames and pages any sector may be old, new or in between.
TEST(Faults, F05_TornWrites) {
  const auto met = Runs(1500, 60, [](Plan* plan, uint64_t i) {
    for (int life = 0; life < 6; ++life) {
      plan->deaths.push_back({.disk_change = static_cast<int64_t>(i * 2 + static_cast<uint64_t>(life) * 17), .power = true});
    }
  });
  EXPECT_GT(met.at("power cut"), 100u);
}

TEST(Faults, F06_SyncFails) {
  const auto met = Runs(1600, 30, [](Plan* plan, uint64_t) { plan->disk.sync_errors = 1000; });
  EXPECT_GT(met.at("sync error"), 20u);
  EXPECT_GT(met.at("process failed"), 20u);
}

// The page cache holds what no disk has, and marks it clean.
TEST(Faults, F06_SyncFailsAndLaterThePowerIsCut) {
  const auto met = Runs(1640, 60, [](Plan* plan, uint64_t i) {
    plan->disk.sync_errors = 1500;
    plan->calm_us = 6 * kSecond;
    plan->deaths.assign(40, {.after_us = static_cast<int64_t>(300'000 + i * 13'000), .power = true});
  });
  EXPECT_GT(met.at("sync error"), 60u);
  EXPECT_GT(met.at("power cut"), 60u);
}

TEST(Faults, F07_DiskFull) {
  const auto met = Runs(1700, 30, [](Plan* plan, uint64_t i) {
    plan->full.push_back({.from_us = static_cast<int64_t>(i * 100'000), .us = 5 * kSecond, .spare = i * 5'000});
    plan->manners.think_us = 600'000;
  });
  EXPECT_GT(met.at("disk full"), 30u);
}

// Of the network; SQLite's own VFS has those of the disk.
TEST(Faults, F08_ShortWritesAndFailedOnes) {
  const auto met = Runs(1800, 30, [](Plan* plan, uint64_t) {
    plan->disk.write_errors = 150;
    plan->disk.read_errors = 20;
    plan->manners.holds = 20;
  });
  EXPECT_GT(met.at("write error"), 20u);
}

TEST(Faults, F09_LostWritesThatWereNotSynced) {
  const auto met = Runs(1900, 40, [](Plan* plan, uint64_t i) {
    plan->disk.sync_us_max = 200'000;
    for (int life = 0; life < 6; ++life) {
      plan->deaths.push_back({.after_us = static_cast<int64_t>(1 + i * 41'000 + static_cast<uint64_t>(life) * 157'000), .power = true});
    }
  });
  EXPECT_GT(met.at("power cut"), 100u);
}

TEST(Faults, F15_CutWithinAFrame) {
  Runs(2000, 30, [](Plan* plan, uint64_t) { plan->manners.cuts = 60; });
}

TEST(Faults, F16_AnswersAreLostOrLate) {
  const auto met = Runs(2100, 40, [](Plan* plan, uint64_t i) {
    for (int64_t at = 0; at < 10; ++at) {
      plan->swallows_us.push_back(at * kSecond);
      plan->cuts_us.push_back(at * kSecond + kSecond / 2);
    }
    plan->manners.patience_us = 1'000'000;
    plan->manners.think_us = 2 * kSecond;
    plan->manners.again = 40;
    plan->delay_us_max = i % 2 == 0 ? 2 * kSecond : 20'000;
  });
  EXPECT_GT(met.at("silent connection"), 50u);
  EXPECT_GT(met.at("cut connection"), 50u);
}

TEST(Faults, F17_AnyChunkingAndJunkBetweenFrames) {
  Runs(2200, 20, [](Plan* plan, uint64_t) {
    plan->tiny_segments = 100;
    plan->manners.window = 8;
    plan->manners.noise = 30;
    plan->manners.interrupts = 30;
  });
}

TEST(Faults, F18_FramesWithoutEndAndSlowOnes) {
  Runs(2300, 20, [](Plan* plan, uint64_t) {
    plan->flooders = 4;
    plan->manners.pauses = 60;
    plan->manners.holds = 30;
  });
}

TEST(Faults, F20_StormOfDuplicates) {
  Runs(2400, 5, [](Plan* plan, uint64_t) {
    plan->manners.again = 99;
    plan->manners.think_us = 1'000;
    plan->manners.window = 16;
  });
}

// Messages of every workload reuse control ids, come in any order and days late, with bytes no charset has (21, 22, 23, 19); the straight
// run has them in another order. Here the order is all that changes.
TEST(Faults, F19_F21_F22_F23_OrderOfArrivalIsNothing) {
  Runs(2500, 40, [](Plan* plan, uint64_t i) {
    plan->mllp_senders = 1 + i % 4;
    plan->delay_us_max = 3 * kSecond;
    plan->manners.window = 64;
    plan->manners.again = 40;
  });
}

TEST(Faults, F24_ClocksJump) {
  const auto met = Runs(2600, 30, [](Plan* plan, uint64_t i) {
    constexpr int64_t kHour = 3600 * kSecond;
    for (const int64_t by : {-kHour, kHour, 365 * 24 * kHour, -400 * 24 * kHour, kHour}) {
      plan->wall_shifts.emplace_back(static_cast<int64_t>(i * 100'000 + plan->wall_shifts.size() * kSecond), by);
    }
    plan->deaths.push_back({.after_us = 3 * kSecond});
  });
  EXPECT_GT(met.at("clock jump"), 100u);
}

TEST(Faults, F13_TheProcessStandsStill) {
  Runs(2700, 20, [](Plan* plan, uint64_t) { plan->pauses = 300; });
}

TEST(Faults, F46_StoppedUnderLoad) {
  const auto met = Runs(2800, 30, [](Plan* plan, uint64_t i) {
    for (int life = 0; life < 5; ++life) {
      plan->deaths.push_back({.stop_us = static_cast<int64_t>(i * 50'000 + 100'000)});
    }
    plan->manners.window = 8;
    plan->manners.think_us = 20'000;
  });
  EXPECT_GT(met.at("process stopped"), 100u);
}

}  // namespace
}  // namespace weir::sim
