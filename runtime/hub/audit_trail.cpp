#include "runtime/hub/audit_trail.h"

namespace weir::hub {

void AppendNumber(std::string* facts, int64_t value) { facts->append(reinterpret_cast<const char*>(&value), sizeof value); }

int64_t NumberAt(std::string_view facts, size_t index) {
  int64_t value = 0;
  if (facts.size() >= (index + 1) * sizeof value) {
    memcpy(&value, facts.data() + index * sizeof value, sizeof value);
  }
  return value;
}

int64_t TimeOf(AuditEvent event, std::string_view stored_facts) {
  return NumberAt(stored_facts, event == AuditEvent::kReceived ? 3 : 1);
}

Digest32 ChainLink(const Digest32& before, int64_t seq, int64_t event, int64_t msg, std::string_view facts) {
  std::string head;
  for (const int64_t part : {seq, event, msg}) {
    AppendNumber(&head, part);
  }
  return Hasher<32>().Add(View(before)).Add(head).Add(facts).Finish();
}

AuditTrail::AuditTrail(Database& db)
    : next_(db.Number("SELECT max(seq) FROM audit") + 1), insert_(db, "INSERT INTO audit VALUES(?,?,?,?,?)") {
  Statement last(db, "SELECT hash FROM audit ORDER BY seq DESC LIMIT 1");
  if (last.First() && last.Bytes(0).size() == chain_.size()) {
    memcpy(chain_.data(), last.Bytes(0).data(), chain_.size());
  }
}

int64_t AuditTrail::Append(AuditEvent event, int64_t msg, Outcome outcome, std::string_view facts) {
  std::string stored;
  AppendNumber(&stored, static_cast<int64_t>(outcome));
  stored += facts;
  chain_ = ChainLink(chain_, next_, static_cast<int64_t>(event), msg, stored);
  insert_.Run(next_, msg, static_cast<int64_t>(event), Blob{stored}, Blob{View(chain_)});
  return next_++;
}

}  // namespace weir::hub
