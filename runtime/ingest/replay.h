// Stored messages through a kernel again (docs/hub.md, Running again): `hub replay` and `hub backfill`.
#pragma once

#include <functional>

#include "runtime/ingest/ingest.h"

namespace weir::ingest {

struct ReplayPlan {
  uint64_t messages = 0;       // that will be judged
  uint64_t patients = 0;       // whom they are about, by the new kernel; merged ones count once
  uint64_t accepted = 0;       // of the messages: by the new kernel
  uint64_t refused = 0;        // still, or now
  uint64_t suppressed = 0;
  uint64_t without_bytes = 0;  // selected, but their bytes were dropped: they stay what they are
  uint64_t damaged = 0;        // selected, but their bytes are not those that were received
};

struct ReplayOptions {
  hub::Selection selection;
  IngestOptions ingest;
  bool dry_run = false;
  std::function<void(const ReplayPlan&)> planned = [](const ReplayPlan&) {};  // before anything is written
};

struct ReplayReport {
  ReplayPlan plan;
  uint64_t changed = 0, unchanged = 0;
  bool stopped = false;  // the rest is as it was; another replay goes on
};

// Binds the engine's kernel to the hub. The hub's other messages, its ledger of received records and what sinks were told stay.
Result<ReplayReport> Replay(Engine& engine, hub::Hub& hub, const ReplayOptions& options);

}  // namespace weir::ingest
