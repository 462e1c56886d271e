// The audit chain of what became of messages: h(n) = BLAKE2b(h(n-1), seq, event, message, facts). Its sequence numbers are the hub's
// clock, since they are in commit order whatever the wall clock does.
#pragma once

#include "runtime/hub/counters.h"
#include "runtime/hub/hash.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

// Numbers are stored.
enum class AuditEvent : int64_t {
  kReceived = 0,
  kReplaced = 1,  // a copy with a lesser order key counts instead
  kRefused = 2,   // another message changed the verdict on its identity
  kAccepted = 3,
  kRerun = 4,     // another kernel judged it
};

// 8 bytes in the machine's order: a hub belongs to little-endian machines, as its kernels do.
void AppendNumber(std::string* facts, int64_t value);
int64_t NumberAt(std::string_view facts, size_t index);  // the index-th such number; 0 beyond the end

class AuditTrail {
 public:
  explicit AuditTrail(Database& db);
  // `facts` follow the outcome; the first number of them (the third for kReceived) is the commit's clock. Returns the event's number.
  int64_t Append(AuditEvent event, int64_t msg, Outcome outcome, std::string_view facts);
  int64_t last() const { return next_ - 1; }

 private:
  int64_t next_;
  Digest32 chain_{};
  Statement insert_;
};

// The commit's clock in an event's stored facts, in microseconds since 1970; 0 for events of the first hubs, which did not say.
int64_t TimeOf(AuditEvent event, std::string_view stored_facts);
// The link after `before`.
Digest32 ChainLink(const Digest32& before, int64_t seq, int64_t event, int64_t msg, std::string_view facts);

}  // namespace weir::hub
