// Is the file what it claims? The audit chain, the ledger against the rows, the fold of the
// contributions against the stored states, and rows that belong to nothing. Faults name rows and
// counts, never data.
#include <algorithm>

#include "runtime/hub/impl.h"

namespace weir::hub {
namespace {

class Verifier {
 public:
  Verifier(Hub::Impl& hub, VerifyReport* report) : hub_(hub), db_(hub.db), report_(*report) {}

  void Run() {
    CheckFile();
    CheckAudit();
    CheckInbox();
    CheckLedger();
    CheckChains();
    CheckMerges();
    CheckOrphans();
  }

 private:
  void Fault(std::string what) {
    if (report_.faults.size() < kMaxFaults) {
      report_.faults.push_back(std::move(what));
    }
  }
  static constexpr size_t kMaxFaults = 100;  // a broken file has too many to read

  void CheckFile() {
    if (const std::string answer = db_.Text("PRAGMA integrity_check(1)"); answer != "ok") {
      Fault("store: " + answer);
    }
  }

  void CheckAudit() {
    Statement all(db_, "SELECT seq, msg, event, facts, hash FROM audit ORDER BY seq");
    Digest32 chain{};
    int64_t expected = 1;
    for (bool row = all.First(); row; row = all.Next(), ++expected, ++report_.audit_events) {
      const int64_t seq = all.Int(0), msg = all.Int(1), event = all.Int(2);
      chain = ChainLink(chain, seq, event, msg, all.Bytes(3));
      if (seq != expected || View(chain) != all.Bytes(4)) {
        Fault("audit: the chain breaks at event " + std::to_string(expected));
        return;
      }
      if (event == static_cast<int64_t>(AuditEvent::kReceived)) {
        digests_[msg] = all.Bytes(3).substr(6 * 8, 16);
      }
    }
  }

  void CheckInbox() {
    Statement all(db_, "SELECT msg, digest, raw, status FROM inbox ORDER BY msg");
    for (bool row = all.First(); row; row = all.Next(), ++report_.messages) {
      const std::string msg = std::to_string(all.Int(0));
      const auto audited = digests_.find(all.Int(0));
      if (audited == digests_.end() || audited->second != all.Bytes(1)) {
        Fault("inbox: message " + msg + " is not the audited one");
      }
      if (!all.IsNull(2) && View(HashRaw(all.Bytes(2))) != all.Bytes(1)) {
        Fault("inbox: message " + msg + " has other bytes than its digest");
      }
      const int64_t status = all.Int(3);
      if (all.IsNull(2) && status != static_cast<int64_t>(Outcome::kDuplicate) &&
          status != static_cast<int64_t>(Outcome::kSuppressed)) {
        Fault("inbox: message " + msg + " has lost its bytes");
      }
    }
    if (digests_.size() > static_cast<size_t>(report_.messages)) {
      Fault("inbox: fewer messages than were audited");
    }
  }

  void CheckLedger() {
    Ledger ledger;
    Statement all(db_,
                  "SELECT feed, status, flags, count(*) FROM inbox GROUP BY feed, status, flags");
    for (bool row = all.First(); row; row = all.Next()) {
      Counts& counts = ledger[hub_.names->Text("feed", all.Int(0))];
      const int64_t n = all.Int(3), flags = all.Int(2);
      counts.received += n;
      constexpr int64_t Counts::* kByOutcome[] = {&Counts::applied, &Counts::duplicate,   &Counts::suppressed, &Counts::schema,
                                                  &Counts::terminology, &Counts::policy, &Counts::transform,  &Counts::in_flight};
      if (all.Int(1) < 0 || all.Int(1) > 7) {
        Fault("inbox: unknown status");
        continue;
      }
      counts.*kByOutcome[all.Int(1)] += n;
      if (all.Int(1) != 0) {
        continue;
      }
      if (flags & kLate) {
        counts.late += n;
      }
      if (flags & kKeyReused) {
        counts.key_reused += n;
      }
      if (flags & kDegraded) {
        counts.degraded += n;
      }
      if (flags & kOmitted) {
        counts.omitted += n;
      }
    }
    Ledger kept = Counters(db_, *hub_.names).Total();
    std::erase_if(kept, [](const auto& feed) { return feed.second == Counts{}; });
    if (kept != ledger) {
      Fault("ledger: the counters differ from the messages' outcomes");
    }
    for (const auto& [feed, counts] : kept) {
      if (!counts.Balanced()) {
        Fault("ledger: feed " + feed + " does not balance");
      }
    }
  }

  void CheckChains() {
    Statement heads(db_, "SELECT type, id FROM resource_current WHERE head<>0");
    std::vector<ResourceKey> roots;
    for (bool row = heads.First(); row; row = heads.Next()) {
      roots.push_back({heads.Int(0), AsId(heads.Bytes(1))});
    }
    int64_t linked = 0;
    for (const ResourceKey& root : roots) {
      ++report_.resources;
      const std::vector<Node> nodes = hub_.resources->Chain(root);
      linked += static_cast<int64_t>(nodes.size());
      const std::string name = hub_.names->Text("type", root.type) + "/" + Hex(View(root.id));
      for (size_t i = 0; i < nodes.size() && db_.ok(); ++i) {
        if (i > 0 && !hub_.resources->Precedes(nodes[i - 1], nodes[i])) {
          Fault("chain: " + name + " is out of order");
        }
        if (hub_.aliases->Root(nodes[i].key) != root) {
          Fault("chain: " + name + " holds a foreign contribution");
        }
        if (hub_.resources->FoldPrefix(root, nodes, i + 1) != nodes[i].State()) {
          Fault("fold: " + name + " is not the fold of its contributions");
          break;
        }
      }
    }
    report_.contributions = linked;
    const int64_t expected = db_.Number(
        "SELECT count(*) FROM contribution c JOIN inbox i ON i.msg=c.msg WHERE i.status=0 AND c.row>=i.first_row AND "
        "c.row<i.first_row+i.rows");
    if (linked != expected) {
      Fault("chain: " + std::to_string(expected) + " contributions count, " +
            std::to_string(linked) + " are linked");
    }
  }

  void CheckMerges() {
    for (std::string& fault : hub_.aliases->Check()) {
      Fault("merges: " + std::move(fault));
    }
    if (const int64_t n = db_.Number(
            "SELECT count(*) FROM (SELECT 1 FROM kin GROUP BY type, id HAVING count(*)>1)");
        n != 0) {
      Fault("merges: " + std::to_string(n) + " ids are within two others");
    }
  }

  void CheckOrphans() {
    const auto none = [&](const char* what, const std::string& sql) {
      if (const int64_t n = db_.Number(sql, -1); n != 0) {
        Fault("orphans: " + std::to_string(n) + " " + what);
      }
    };
    none("contributions without a message",
         "SELECT count(*) FROM contribution WHERE msg NOT IN (SELECT msg FROM inbox)");
    none("duplicate keys without a message",
         "SELECT count(*) FROM dedupe WHERE msg NOT IN (SELECT msg FROM inbox WHERE status NOT IN (1, 7))");
    none("messages that no duplicate key knows",
         "SELECT count(*) FROM inbox WHERE status NOT IN (1, 7) AND msg NOT IN (SELECT msg FROM dedupe)");
    none(
        "dead letters of messages that are not rejected",
        "SELECT count(*) FROM dead_letter WHERE msg NOT IN (SELECT msg FROM inbox WHERE status BETWEEN 3 AND 6)");
    none("rejected messages without a dead letter",
         "SELECT count(*) FROM inbox WHERE status BETWEEN 3 AND 6 AND msg NOT IN (SELECT msg FROM dead_letter)");
    none("merged resources whose survivor is missing",
         "SELECT count(*) FROM resource_current c WHERE survivor IS NOT NULL AND NOT EXISTS "
         "(SELECT 1 FROM resource_current s "
         "WHERE s.type=c.type AND s.id=c.survivor AND s.survivor IS NULL)");
  }

  Hub::Impl& hub_;
  Database& db_;
  VerifyReport& report_;
  std::map<int64_t, std::string> digests_;  // of received messages, as audited
};

}  // namespace

Result<VerifyReport> Hub::Verify() {
  VerifyReport report;
  impl_->db.Exec("BEGIN");
  Verifier(*impl_, &report).Run();
  impl_->db.Exec("COMMIT");
  if (!impl_->db.ok()) {
    report.faults.push_back(impl_->db.error().message);
    if (!sqlite3_get_autocommit(impl_->db.handle())) {
      sqlite3_exec(impl_->db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
  return report;
}

}  // namespace weir::hub
