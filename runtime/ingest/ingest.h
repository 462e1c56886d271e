// Files -> frame -> index -> kernel -> hub (RunFiles) or -> NDJSON (MapFiles, stateless).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/hub/hub.h"
#include "runtime/ingest/engine.h"

namespace weir::ingest {

struct Namespace {  // default: the manifest's package and the published test key 00 01 .. 0f
  std::string name;
  std::array<uint8_t, 16> key{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
};
// FILE of --namespace-key: 32 hex digits, then optionally blank and a name.
Result<Namespace> ReadNamespaceFile(const std::string& path);

struct Progress {
  uint64_t records = 0, bytes = 0, bytes_total = 0;
  std::string source;
};

struct IngestOptions {
  Namespace name_space;
  uint32_t batch = 1000;             // records per transaction
  uint64_t batch_bytes = 32u << 20;  // bounds the memory of a batch of large messages
  uint64_t output_bytes_max =
      64u << 20;  // of one record's contributions; beyond: dead letter transform/limit
  uint64_t scratch_bytes_max = 256u << 20;        // same for the kernel's scratch
  const std::atomic<bool>* stop = nullptr;        // looked at between batches
  std::function<void(const Progress&)> progress;  // after every batch
  std::string artifact;                           // archived in the hub
};

// The engine's kernel becomes the hub's.
Result<void> BindEngine(const Engine& engine, hub::Hub& hub, const IngestOptions& options);

struct RunReport {
  hub::Ledger ledger;  // of this run's records
  uint64_t records = 0, bytes = 0, files = 0, batches = 0;
  bool stopped = false;
  std::vector<std::string> unreadable;  // paths that could not be read
};

// A path is a file, a folder (its files, recursively, in name order) or `-` (standard input).
Result<RunReport> RunFiles(const std::vector<std::string>& paths, Engine& engine, hub::Hub& hub,
                           const IngestOptions& options);

// One line per record: {"source":…,"index":n,"resources":[…]} or
// {…,"error":{"class":…,"code":…,"path":…}}.
Result<RunReport> MapFiles(const std::vector<std::string>& paths, Engine& engine, std::ostream& out,
                           const IngestOptions& options);

}  // namespace weir::ingest
