// What is sent in a run, and what must have become of it: the messages, the answers their senders must get, and the hub that a straight
// run over each of them once leaves. Made by the same pipeline and hub that `run` uses, on a quiet disk, with no seeded bug.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/hub/hash.h"
#include "runtime/ingest/engine.h"
#include "runtime/ingest/ingest.h"
#include "runtime/package/package.h"
#include "tests/sim/random.h"

namespace weir::sim {

// A package and the sample messages its runs may use.
class Feed {
 public:
  static Result<std::unique_ptr<Feed>> Open(const std::string& package, const std::vector<std::string>& sample_folders);
  ingest::Engine& engine() { return *engine_; }
  const std::vector<std::string>& samples() const { return samples_; }  // records as the framer cuts them

 private:
  std::unique_ptr<package::Package> package_;
  std::unique_ptr<ingest::KernelEngine> engine_;
  std::vector<std::string> samples_;
};

struct Message {
  std::string raw;              // the record, without what stands around it
  std::string control_id;       // MSH-10
  std::vector<std::string> answers{};  // "AA", or "CA" and "AA", …; none: nobody answers it
  bool in_files = true;         // keeps its borders when others stand around it
  hub::Digest16 digest{};
};

// The hub after a straight run.
struct Straight {
  std::string digest;
  hub::Ledger ledger;
};

struct Workload {
  std::vector<Message> messages;
  Straight straight;
};

Workload MakeWorkload(Feed& feed, Random random);
// Every record of `raws` once; `junk` as bytes outside of frames.
Straight RunStraight(Feed& feed, const std::vector<std::string_view>& raws, const std::vector<std::string>& junk);

std::vector<std::string> GenerateMessages(Random& random, size_t count);

}  // namespace weir::sim
