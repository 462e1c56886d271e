// What a message counts as, and how that changes: copies replace each other, verdicts on identity turn, another kernel judges it.
// Every change ends an attempt or flips it, keeps the ledger exact and is audited; rows of contributions enter and leave chains here.
#pragma once

#include <functional>
#include <vector>

#include "runtime/hub/attempt.h"
#include "runtime/hub/audit_trail.h"
#include "runtime/hub/impl.h"

namespace weir::hub {

class Outcomes {
 public:
  explicit Outcomes(Hub::Impl& hub);

  struct Group {           // the messages with one key
    int64_t winner = 0;    // of the same content; 0: none
    int64_t same_key = 0;  // applied messages with the key and other content
  };
  Group Look(const Identity& identity);
  std::vector<int64_t> CopiesOf(const Identity& identity);  // duplicates of that group

  Attempt Load(int64_t msg) { return attempts_.Load(msg); }
  Attempts& attempts() { return attempts_; }

  // `attempt` becomes its group's winner, its row of `inbox` written already: dead letter and key.
  void Register(const Attempt& attempt);
  // A copy with a lesser order key counts from now on.
  void Replace(const Attempt& winner);
  // Ends what the messages count as, all in one go, so that a chain is walked once: they are held, in nobody's group.
  void Leave(const std::vector<Attempt>& attempts);
  // Claims of the stored or added rows, then verdicts of all whom they concern.
  void Settle();
  void TouchAliases(const std::vector<Node>& rows, int64_t cause);
  void OwnersMoved(const std::vector<ResourceKey>& moved);  // the ids whose root is another one now

  void BeginRun(int64_t first_msg) { run_first_msg_ = first_msg; }
  int64_t run_first_msg() const { return run_first_msg_; }
  bool OfThisRun(int64_t msg) const { return msg >= run_first_msg_; }
  void set_now(int64_t now_us) { now_us_ = now_us; }  // of the transaction
  int64_t now() const { return now_us_; }

 private:
  void ReleaseKey(const Attempt& attempt);
  void Retire(const Attempt& old, Outcome outcome, AuditEvent event);
  void Flip(int64_t msg, bool accepted);
  void Audit(AuditEvent event, int64_t msg, Outcome outcome);

  Hub::Impl& hub_;
  Database& db_;
  Attempts attempts_;
  int64_t run_first_msg_ = 1, now_us_ = 0;
  Statement group_, key_applied_, copies_, dedupe_, leave_group_, status_, flags_;
};

// The rows of an attempt, by number.
std::vector<int64_t> RowNumbers(const Attempt& attempt);

}  // namespace weir::hub
