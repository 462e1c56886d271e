#include "runtime/ingest/replay.h"

#include <set>
#include <string_view>

#include "runtime/base/clock.h"
#include "runtime/ingest/pipeline.h"

namespace weir::ingest {
namespace {

constexpr std::string_view kPatient = "Patient";

class Replayer {
 public:
  Replayer(Engine& engine, hub::Hub& hub, const ReplayOptions& options)
      : hub_(hub), options_(options), manifest_(engine.manifest()), pipeline_(engine, options.ingest) {}

  Result<ReplayReport> Run() {
    auto selected = hub_.Select(options_.selection);
    if (!selected) {
      return selected.error();
    }
    if (auto planned = Plan(*selected); !planned) {
      return planned.error();
    }
    options_.planned(report_.plan);
    if (!options_.dry_run) {
      if (auto run = RunAll(*selected); !run) {
        return run.error();
      }
    }
    return report_;
  }

 private:
  bool Stopped() {
    report_.stopped = report_.stopped || (options_.ingest.stop != nullptr && options_.ingest.stop->load(std::memory_order_relaxed));
    return report_.stopped;
  }

  const hub::Record& Judge(const hub::StoredMessage& stored) {
    pipeline_.Take({.kind = stored.junk ? frame::FrameKind::kJunk : frame::FrameKind::kMessage, .offset = 0, .bytes = *stored.raw},
                   stored.source, stored.position, nullptr);
    return pipeline_.Last();
  }

  // Nothing to judge is no error: taken by others meanwhile, or its bytes are gone or damaged.
  Result<std::optional<hub::StoredMessage>> Load(int64_t msg, bool counts) {
    auto stored = hub_.LoadStored(msg);
    if (!stored) {
      return stored;
    }
    if (*stored && ((*stored)->damaged || !(*stored)->raw)) {
      if (counts) {
        ++((*stored)->damaged ? report_.plan.damaged : report_.plan.without_bytes);
      }
      return std::optional<hub::StoredMessage>();
    }
    return stored;
  }

  Result<void> Plan(const std::vector<int64_t>& selected) {
    for (const int64_t msg : selected) {
      if (Stopped()) {
        break;
      }
      auto stored = Load(msg, /*counts=*/true);
      if (!stored) {
        return stored.error();
      }
      if (!*stored) {
        continue;
      }
      const hub::Record& record = Judge(**stored);
      ++report_.plan.messages;
      ++(record.status == WEIR_OK           ? report_.plan.accepted
         : record.status == WEIR_SUPPRESSED ? report_.plan.suppressed
                                            : report_.plan.refused);
      AddPatients(record);
      pipeline_.Clear();
    }
    report_.plan.patients = patients_.size();
    return {};
  }

  void AddPatients(const hub::Record& record) {
    for (const weir_contribution& item : record.items) {
      if (manifest_.types[item.type].name == kPatient) {
        patients_.insert(hub_.RootOf(kPatient, {item.id, 32}));
      }
      const std::string_view body = record.bytes.substr(item.body_offset, item.body_size);
      constexpr std::string_view kReference = "\"reference\":\"Patient/";
      for (size_t at = body.find(kReference); at != body.npos; at = body.find(kReference, at)) {
        at += kReference.size();
        patients_.insert(hub_.RootOf(kPatient, body.substr(at, 32)));
      }
    }
  }

  Result<void> RunAll(const std::vector<int64_t>& selected) {
    for (const int64_t msg : selected) {
      if (Stopped()) {
        return {};  // what is gathered was not written and is found again
      }
      if (gathered_.contains(msg)) {
        continue;
      }
      auto stored = Load(msg, /*counts=*/false);
      if (!stored) {
        return stored.error();
      }
      if (!*stored) {
        continue;
      }
      Judge(**stored);
      gathered_.insert(msg);
      order_.push_back(msg);
      if (auto added = AddCopies(msg); !added) {
        return added;
      }
      if (pipeline_.size() >= options_.ingest.batch || pipeline_.raw_bytes() >= options_.ingest.batch_bytes) {
        if (auto flushed = Flush(); !flushed) {
          return flushed;
        }
      }
    }
    return Flush();
  }

  Result<void> AddCopies(int64_t msg) {
    auto copies = hub_.CopiesLeft({msg, pipeline_.Last()});
    if (!copies) {
      return copies.error();
    }
    for (const int64_t copy : *copies) {
      auto stored = hub_.LoadCopy(copy);
      if (!stored) {
        return stored.error();
      }
      if (!stored->raw || stored->damaged || !gathered_.insert(copy).second) {
        continue;
      }
      Judge(*stored);
      order_.push_back(copy);
    }
    return {};
  }

  Result<void> Flush() {
    if (order_.empty()) {
      return {};
    }
    const std::vector<hub::Record>& records = pipeline_.Records();
    std::vector<hub::Rerunning> batch;
    for (size_t i = 0; i < order_.size(); ++i) {
      batch.push_back({order_[i], records[i]});
    }
    const auto counts = hub_.Rerun(batch, WallMicros());
    if (!counts) {
      return counts.error();
    }
    report_.changed += static_cast<uint64_t>(counts->changed);
    report_.unchanged += static_cast<uint64_t>(counts->unchanged);
    pipeline_.Clear();
    order_.clear();
    gathered_.clear();
    if (options_.ingest.progress) {
      options_.ingest.progress({.records = report_.changed + report_.unchanged, .bytes = 0, .bytes_total = 0, .source = {}});
    }
    if (const auto lent = hub_.Yield(); !lent) {
      return lent.error();
    }
    return {};
  }

  hub::Hub& hub_;
  const ReplayOptions& options_;
  const hub::Manifest& manifest_;
  Pipeline pipeline_;
  std::set<std::string> patients_;
  std::set<int64_t> gathered_;
  std::vector<int64_t> order_;
  ReplayReport report_;
};

}  // namespace

Result<ReplayReport> Replay(Engine& engine, hub::Hub& hub, const ReplayOptions& options) {
  if (auto bound = BindEngine(engine, hub, options.ingest); !bound) {
    return bound.error();
  }
  return Replayer(engine, hub, options).Run();
}

}  // namespace weir::ingest
