#include "tests/sim/plan.h"

namespace weir::sim {
namespace {

constexpr int64_t kSecond = 1'000'000, kHour = 3'600 * kSecond, kYear = 365 * 24 * kHour;

DeathPlan DrawDeath(Random& random) {
  DeathPlan death{.power = random.Percent(50)};
  switch (random.Below(6)) {
    case 0:
    case 1:
      death.point = static_cast<int>(random.Below(6));
      death.count = static_cast<int>(random.Skewed(1, 30));
      break;
    case 2:
    case 3:
      death.disk_change = random.Skewed(0, 400);
      break;
    case 4:
      death.after_us = random.Skewed(0, 20 * kSecond);
      break;
    default:
      death.stop_us = random.Skewed(0, 20 * kSecond);
      break;
  }
  return death;
}

}  // namespace

Plan DrawPlan(Random random) {
  Plan plan;
  plan.calm_us = random.Between(2 * kSecond, 40 * kSecond);
  const auto moment = [&] { return random.Between(0, plan.calm_us); };
  const auto some = [&](uint64_t percent, int64_t most) { return random.Percent(percent) ? random.Between(1, most) : 0; };
  for (int64_t i = some(70, 4); i > 0; --i) {
    plan.deaths.push_back(DrawDeath(random));
  }
  if (random.Percent(30)) {
    plan.disk.read_errors = static_cast<uint32_t>(some(30, 20));
    plan.disk.write_errors = static_cast<uint32_t>(some(40, 60));
    plan.disk.sync_errors = static_cast<uint32_t>(some(60, 300));
  }
  plan.disk.file_errors = static_cast<uint32_t>(some(15, 2'000));
  if (random.Percent(5)) {  // a dying disk in a machine that loses its power again and again
    plan.disk.sync_errors = 1500;
    plan.deaths.assign(30, {.after_us = random.Between(100'000, kSecond), .power = true});
  }
  plan.disk.sync_us_max = random.Skewed(200, 500'000);
  for (int64_t i = some(15, 2); i > 0; --i) {
    plan.full.push_back({.from_us = moment(), .us = random.Between(kSecond, 20 * kSecond), .spare = random.Below(200'000)});
  }
  for (int64_t i = some(40, 4); i > 0; --i) {
    plan.cuts_us.push_back(moment());
  }
  for (int64_t i = some(25, 3); i > 0; --i) {
    plan.swallows_us.push_back(moment());
  }
  for (int64_t i = some(25, 3); i > 0; --i) {
    plan.wall_shifts.emplace_back(moment(), random.Pick(std::vector<int64_t>{-kHour, kHour, kYear, -kYear, random.Between(-kSecond, kSecond)}));
  }
  if (random.Percent(10)) {  // full again and again
    for (int64_t at_us = 0; at_us < plan.calm_us; at_us += 2 * kSecond) {
      plan.full.push_back({.from_us = at_us, .us = kSecond, .spare = random.Below(60'000)});
    }
  }
  plan.pauses = static_cast<uint32_t>(some(15, 30));
  plan.delay_us_max = random.Skewed(1'000, 3 * kSecond);
  plan.tiny_segments = random.Percent(30) ? 40 : 5;

  Manners& manners = plan.manners;
  manners.again = static_cast<uint32_t>(random.Pick(std::vector<int64_t>{0, 10, 10, 40}));
  manners.cuts = static_cast<uint32_t>(some(40, 15));
  manners.interrupts = static_cast<uint32_t>(some(25, 10));
  manners.noise = static_cast<uint32_t>(some(25, 10));
  manners.pauses = static_cast<uint32_t>(some(25, 10));
  manners.holds = static_cast<uint32_t>(some(25, 10));
  manners.window = static_cast<uint32_t>(random.Pick(std::vector<int64_t>{1, 1, 2, 8, 64}));
  manners.patience_us = random.Skewed(kSecond, 30 * kSecond);
  manners.think_us = random.Percent(50) ? random.Skewed(1'000, kSecond) : plan.calm_us / 8;
  plan.mllp_senders = static_cast<size_t>(random.Between(1, 4));
  plan.http = random.Percent(40);
  plan.folder = random.Percent(40);
  plan.flooders = random.Percent(5) ? 2 : 0;
  plan.batch = static_cast<uint32_t>(random.Pick(std::vector<int64_t>{1, 3, 1000, 1000}));
  plan.encrypted = random.Percent(10);
  if (random.Percent(2)) {  // a storm of copies
    manners = {.again = 99, .window = 16, .think_us = 1'000};
    plan.deaths.clear();
    plan.disk = {};
    plan.full.clear();
    plan.tiny_segments = 0;
  }
  return plan;
}

}  // namespace weir::sim
