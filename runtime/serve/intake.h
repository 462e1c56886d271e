// Records of all connections and files on their way into the hub: one pipeline, one transaction per batch, and word to whoever
// handed a record in once it is durable, or is known not to be.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/hub/hub.h"
#include "runtime/ingest/pipeline.h"
#include "runtime/io/io.h"
#include "runtime/serve/access.h"
#include "runtime/serve/metrics.h"

namespace weir::serve {

struct Ticket {  // who handed the record in
  uint64_t receiver = 0, entry = 0;
};

// Where a record comes from.
struct Origin {
  std::string source;
  Ticket ticket;
  bool wants_outcome = false;
  std::optional<uint64_t> position{};       // in its source; absent: after the source's last
  std::shared_ptr<const Client> client{};   // whose feeds it may be for; null: any
};

struct Settled {
  bool stored = false;
  bool forbidden = false;               // not stored, because its sender may not feed its feed
  const hub::Record* record = nullptr;  // absent when it was not even taken
  const hub::Taken* taken = nullptr;    // absent unless stored and `wants_outcomes`, or a feed acknowledges errors
};

enum class StoreState : uint8_t {
  kOpen,
  kFull,    // no space, or lent and not given back: opened again from time to time
  kBroken,  // any other failure: the process must end
};

class Intake {
 public:
  using Settle = std::function<void(const Ticket&, const Settled&)>;

  Intake(ingest::Engine& engine, const ingest::IngestOptions& options, hub::HubOptions hub_options, io::Io& io, Metrics& metrics, Settle settle);

  Result<void> Open();
  // May commit what is held first, so `settle` may be called for others before it returns. A closed store settles at once.
  void Take(const frame::Frame& frame, Origin origin);
  void Commit();
  // When nothing is held: lets a visitor of the hub (a replay, say) write a batch, if one queues. True: one did.
  bool Lend();

  void CatchUpIndex();  // when there is nothing else to do

  bool empty() const { return origins_.empty(); }
  int64_t since_us() const { return since_us_; }  // when the first record held came
  StoreState state() const { return state_; }
  const std::string& failure() const { return failure_; }
  hub::Hub* hub() { return hub_.get(); }
  const hub::Manifest& manifest() const { return engine_.manifest(); }

 private:
  bool Store(const std::vector<hub::Record>& records);
  bool MayFeed(const Origin& origin, const hub::Record& record) const;
  void Fail(const Error& error);
  uint64_t NextPosition(const std::string& source);

  ingest::Engine& engine_;
  const ingest::IngestOptions& options_;
  hub::HubOptions hub_options_;
  io::Io& io_;
  Metrics& metrics_;
  Settle settle_;
  std::unique_ptr<hub::Hub> hub_;
  ingest::Pipeline pipeline_;
  std::vector<Origin> origins_;  // of the pipeline's records
  std::map<std::string, uint64_t, std::less<>> positions_;
  bool settling_ = false;  // a receiver that is told must not hand in more: the records are still those of the batch
  bool acknowledges_errors_ = false, wants_outcomes_ = false;
  int64_t since_us_ = 0;
  StoreState state_ = StoreState::kBroken;
  std::string failure_ = "not opened";
};

}  // namespace weir::serve
