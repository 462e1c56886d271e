#include "tests/sim/run.h"

#include <sqlite3.h>

#include <algorithm>

#include "runtime/serve/serve.h"
#include "tests/sim/io.h"
#include "tests/sim/memory.h"
#include "tests/sim/vfs.h"

namespace weir::sim {
namespace {

constexpr char kMllp[] = "node:2575", kHttp[] = "node:8080", kFolder[] = "/in";
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kRestUs = 900 * kSecond;  // after the last fault everything must be answered within this
constexpr int64_t kLookUs = 500'000;

// What the node may hold for its peers is small here, so that memory beyond it shows.
constexpr size_t kFrameBytesMax = 256u << 10, kHeldBytesMax = 1u << 20;
constexpr size_t kSampleAnswers = 50;
constexpr int64_t kGrowthBytesMax = 16'000;
constexpr int64_t kNodeBytesMax = 4'000'000 + 2 * int64_t{kHeldBytesMax};  // buffers of pipeline and loop are 3 MB from the start

class Run {
 public:
  Run(Feed& feed, const Workload& workload, const Plan& plan, const RunOptions& options)
      : feed_(feed), workload_(workload), plan_(plan), options_(options), world_(options.seed, options.prints), disk_(world_, world_.Stream(1)),
        network_(world_, world_.Stream(2)), random_(world_.Stream(3)) {
    log_.sent.resize(workload.messages.size());
  }

  Outcome Go() {
    ScheduleFaults();
    MakeSenders();
    LookForTheEnd();
    while (Live()) {
    }
    if (outcome_.node_bytes_max > kNodeBytesMax) {
      log_.Find(Wrong::kUnbounded, "the node had " + std::to_string(outcome_.node_bytes_max) + " bytes");
    }
    if (stuck_) {
      for (const auto& sender : senders_) {
        if (!sender->Done()) {
          log_.Find(Wrong::kStuck, sender->Name() + " has not everything answered " + std::to_string(kRestUs / kSecond) + " s after the last fault");
        }
      }
    } else {
      Judge judge(feed_, workload_, log_);
      judge.Look(disk_, world_, KeyFile(), stocks_);
      outcome_.records = judge.records();
    }
    outcome_.findings = std::move(log_.findings);
    outcome_.trace = world_.trace().hash();
    outcome_.answers = static_cast<int64_t>(log_.answers.size());
    outcome_.simulated_us = world_.now_us();
    for (const auto* counts : {&disk_.counts, &network_.counts}) {
      for (const auto& [name, count] : *counts) {
        outcome_.met[name] += count;
      }
    }
    return std::move(outcome_);
  }

 private:
  std::string KeyFile() const { return plan_.encrypted ? options_.key_file : std::string(); }

  void ScheduleFaults() {
    disk_.faults = plan_.disk;
    disk_.syncs_lie = options_.syncs_lie;
    disk_.sync_errors_hidden = options_.sync_errors_hidden;
    network_.delay_us_max = plan_.delay_us_max;
    network_.tiny_segments = plan_.tiny_segments;
    world_.After(plan_.calm_us, [this] { disk_.faults = {}; });
    for (const int64_t at_us : plan_.cuts_us) {
      world_.After(at_us, [this] { network_.CutOne(); });
    }
    for (const int64_t at_us : plan_.swallows_us) {
      world_.After(at_us, [this] { network_.SwallowOne(); });
    }
    for (const auto& shift : plan_.wall_shifts) {
      world_.After(shift.first, [this, by_us = shift.second] {
        world_.Note("clock", {by_us});
        ++outcome_.met["clock jump"];
        world_.ShiftWall(by_us);
      });
    }
    for (const FullDisk& full : plan_.full) {
      world_.After(full.from_us, [this, full] { disk_.capacity = disk_.used() + full.spare; });
      world_.After(full.from_us + full.us, [this] { disk_.capacity = UINT64_MAX; });
    }
  }

  void MakeSenders() {
    const size_t count = plan_.mllp_senders + (plan_.http ? 1 : 0) + (plan_.folder ? 1 : 0);
    std::vector<std::deque<size_t>> parts(count);
    std::vector<size_t> order;
    for (size_t i = 0; i < workload_.messages.size(); ++i) {
      order.push_back(i);
    }
    random_.Shuffle(&order);
    for (const size_t i : order) {
      parts[workload_.messages[i].in_files ? random_.Below(count) : random_.Below(plan_.mllp_senders)].push_back(i);
    }
    const Scene scene{world_, network_, disk_, workload_, log_};
    for (size_t i = 0; i < plan_.mllp_senders; ++i) {
      senders_.push_back(MakeMllpSender(scene, world_.Stream(10 + i), plan_.manners, kMllp, "10.0.0." + std::to_string(1 + i % 3), std::move(parts[i])));
    }
    size_t next = plan_.mllp_senders;
    if (plan_.http) {
      senders_.push_back(MakeHttpSender(scene, world_.Stream(30), plan_.manners, kHttp, "10.0.1.1", feed_.engine().manifest().feeds.front().name,
                                        std::move(parts[next++])));
    }
    if (plan_.folder) {
      senders_.push_back(MakeFileSender(scene, world_.Stream(40), kFolder, std::move(parts[next])));
    }
    for (size_t i = 0; i < plan_.flooders; ++i) {
      senders_.push_back(MakeFlooder(scene, world_.Stream(50 + i), kMllp, "10.0.2." + std::to_string(1 + i)));
    }
  }

  // Whoever has no answer wants one; when all have, and no fault is due, the node may stop.
  void LookForTheEnd() {
    const bool calm = world_.now_us() >= plan_.calm_us;
    const bool done = calm && std::ranges::all_of(senders_, [](const auto& sender) { return sender->Done(); });
    stuck_ = world_.now_us() >= plan_.calm_us + kRestUs;
    if (done || stuck_) {
      finished_ = true;
      if (io_ != nullptr) {
        io_->stop = true;
      }
      return;
    }
    world_.After(kLookUs, [this] { LookForTheEnd(); });
  }

  serve::ServeOptions NodeOptions(const Vfs& vfs) {
    serve::ServeOptions options;
    options.ingest.batch = plan_.batch;
    options.hub = {.path = kHubPath, .key_file = KeyFile(), .cache_kib = 4096, .vfs = vfs.name()};
    options.frame.frame_bytes_max = kFrameBytesMax;
    options.held_bytes_max = kHeldBytesMax;
    options.peer_held_bytes_max = kHeldBytesMax / 2;
    options.mllp = {kMllp};
    options.http = {kHttp};
    options.folders = {kFolder};
    options.log = [this](std::string_view line) { world_.Note(line); };
    return options;
  }

  void PlanDeath(SimulatedIo& io) {
    if (lives_ >= plan_.deaths.size() || world_.now_us() >= plan_.calm_us) {
      return;
    }
    const DeathPlan& death = plan_.deaths[lives_];
    io.dies_at_point = death.point;
    io.dies_at_count = death.count;
    disk_.dies_at = death.disk_change;
    const size_t life = lives_;
    if (death.after_us >= 0) {
      world_.After(death.after_us, [this, life] {
        if (life == lives_ && io_ != nullptr) {
          io_->Kill();
        }
      });
    }
    if (death.stop_us >= 0) {
      world_.After(death.stop_us, [this, life] {
        if (life == lives_ && io_ != nullptr) {
          io_->stop = true;
        }
      });
    }
  }

  // One life of the node. False: it was the last.
  bool Live() {
    const Vfs vfs(disk_, world_);
    SimulatedIo io(world_, disk_, network_, world_.Stream(1000 + lives_));
    io_ = &io;
    io.stop = finished_;
    samples_.clear();
    io.on_turn = [this] {
      if (samples_.empty() || log_.answers.size() >= samples_.back().first + kSampleAnswers) {
        samples_.emplace_back(log_.answers.size(), NodeBytes());
      }
    };
    io.pauses = world_.now_us() < plan_.calm_us ? plan_.pauses : 0;
    network_.NodeStarts(static_cast<int>(lives_));
    PlanDeath(io);
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(1 + random_.Below(1'000'000'000)), nullptr);
    const serve::ServeOptions node_options = NodeOptions(vfs);
    bool died = false, failed = false;
    const int64_t idle_bytes = NodeBytes();
    NodeBytesPeak();
    options_.around_node(true);
    try {
      const MemoryScope node(/*node=*/true);
      const auto served = serve::Serve(feed_.engine(), node_options, io);
      failed = !served;
      world_.Note(failed ? "node failed: " + served.error().message : "node stopped");
    } catch (const Death&) {
      died = true;
    }
    options_.around_node(false);
    io_ = nullptr;
    CheckGrowth();
    outcome_.node_bytes_max = std::max(outcome_.node_bytes_max, NodeBytesPeak() - idle_bytes);
    const bool power = died && lives_ < plan_.deaths.size() && plan_.deaths[lives_].power;
    network_.NodeDies(power);
    disk_.Revive(power);
    Count(died ? (power ? "power cut" : "process killed") : failed ? "process failed" : "process stopped");
    outcome_.turns += io.turns;
    ++outcome_.lives;
    auto stock = ReadStock(disk_, world_, KeyFile());
    if (!stock) {
      log_.Find(Wrong::kUnsound, "after life " + std::to_string(lives_) + ": " + stock.error().message);
      return false;
    }
    stocks_.push_back(std::move(*stock));
    ++lives_;
    if (finished_ && !died && !failed) {
      return false;
    }
    const int64_t until_us = world_.now_us() + random_.Skewed(10'000, 5 * kSecond);
    while (world_.Step(until_us)) {
    }
    return !stuck_;
  }

  // Whatever a node keeps for each answer shows once it has given many, quarter for quarter; a buffer that doubles does so in one.
  void CheckGrowth() {
    if (samples_.size() < 20) {
      return;
    }
    const auto most = [this](size_t from, size_t to) {
      return std::ranges::max(std::span(samples_).subspan(from, to - from), {}, &std::pair<size_t, int64_t>::second).second;
    };
    const size_t quarter = samples_.size() / 4;
    const int64_t second = most(quarter, 2 * quarter), third = most(2 * quarter, 3 * quarter), fourth = most(3 * quarter, samples_.size());
    if (std::min(third - second, fourth - third) > kGrowthBytesMax) {
      log_.Find(Wrong::kUnbounded, "the node grew by " + std::to_string(fourth - second) + " bytes over " +
                                       std::to_string(samples_.back().first - samples_[quarter].first) + " answers");
    }
  }

  void Count(const char* what) { ++outcome_.met[what]; }

  Feed& feed_;
  const Workload& workload_;
  const Plan& plan_;
  const RunOptions& options_;
  World world_;
  Disk disk_;
  Network network_;
  Random random_;
  Log log_;
  std::vector<std::unique_ptr<Sender>> senders_;
  SimulatedIo* io_ = nullptr;
  size_t lives_ = 0;
  bool finished_ = false, stuck_ = false;
  std::vector<Stock> stocks_;
  std::vector<std::pair<size_t, int64_t>> samples_;  // of this life: answers so far, the node's bytes
  Outcome outcome_;
};

}  // namespace

Outcome RunOnce(Feed& feed, const Workload& workload, const Plan& plan, const RunOptions& options) {
  return Run(feed, workload, plan, options).Go();
}

}  // namespace weir::sim
