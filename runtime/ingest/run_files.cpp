#include <fstream>

#include "runtime/hub/hash.h"
#include "runtime/base/clock.h"
#include "runtime/ingest/ingest.h"
#include "runtime/ingest/pipeline.h"
#include "runtime/ingest/sources.h"

namespace weir::ingest {
namespace {

class Runner {
 public:
  Runner(Engine& engine, hub::Hub& hub, const IngestOptions& options)
      : hub_(hub), options_(options), pipeline_(engine, options) {}

  Result<RunReport> Run(const std::vector<Source>& sources) {
    for (const Source& source : sources) {
      progress_.bytes_total += source.bytes;
    }
    for (const Source& source : sources) {
      if (Halted()) {
        break;
      }
      if (!RunSource(source)) {
        report_.unreadable.push_back(source.name);
      }
      ++report_.files;
    }
    if (!report_.stopped) {
      Flush();
    }
    if (!failure_.message.empty()) {
      return failure_;
    }
    report_.ledger = hub_.RunLedger();
    return report_;
  }

 private:
  bool Halted() {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      report_.stopped = true;
    }
    return report_.stopped || !failure_.message.empty();
  }

  bool RunSource(const Source& source) {
    progress_.source = source.name;
    uint64_t position = 0;
    frame::Framer framer({}, [&](const frame::Frame& frame) {
      // What follows a stop is not taken: the next run finds it, and everything before it is a
      // duplicate.
      if (frame.kind == frame::FrameKind::kEnvelope || report_.stopped ||
          !failure_.message.empty()) {
        return;
      }
      pipeline_.Take(frame, source.name, position++, &hub_);
      if (pipeline_.size() >= options_.batch || pipeline_.raw_bytes() >= options_.batch_bytes) {
        Flush();
      }
    });
    const bool read = ReadChunks(source, [&](std::string_view chunk) {
      framer.Push(chunk);
      report_.bytes += chunk.size();
      return !report_.stopped && failure_.message.empty();
    });
    framer.Finish();
    return read;
  }

  void Flush() {
    if (pipeline_.size() == 0 || !failure_.message.empty()) {
      return;
    }
    const auto applied = hub_.Apply(pipeline_.Records(), WallMicros());
    if (!applied) {
      failure_ = applied.error();
      return;
    }
    report_.records += pipeline_.size();
    ++report_.batches;
    pipeline_.Clear();
    if (const auto lent = hub_.Yield(); !lent) {
      failure_ = lent.error();
      return;
    }
    progress_.records = report_.records;
    progress_.bytes = report_.bytes;
    if (options_.progress) {
      options_.progress(progress_);
    }
    Halted();
  }

  hub::Hub& hub_;
  const IngestOptions& options_;
  Pipeline pipeline_;
  Progress progress_;
  RunReport report_;
  Error failure_;
};

}  // namespace

Result<Namespace> ReadNamespaceFile(const std::string& path) {
  std::ifstream in(path);
  std::string hex;
  Namespace name_space;
  if (!(in >> hex) || !hub::Unhex(hex, &name_space.key)) {
    return Error{"`" + path + "` does not start with 32 lower-case hex digits"};
  }
  in >> name_space.name;
  return name_space;
}

Result<void> BindEngine(const Engine& engine, hub::Hub& hub, const IngestOptions& options) {
  const std::string& name =
      options.name_space.name.empty() ? engine.manifest().package : options.name_space.name;
  return hub.Bind(engine.manifest(), options.name_space.key, name, options.artifact);
}

Result<RunReport> RunFiles(const std::vector<std::string>& paths, Engine& engine, hub::Hub& hub,
                           const IngestOptions& options) {
  const auto sources = ExpandPaths(paths);
  if (!sources) {
    return sources.error();
  }
  if (auto bound = BindEngine(engine, hub, options); !bound) {
    return bound.error();
  }
  hub.BeginRun();
  return Runner(engine, hub, options).Run(*sources);
}

}  // namespace weir::ingest
