#include "runtime/hub/letters.h"

#include "runtime/hub/message_facts.h"

namespace weir::hub {

Letters::Letters(Database& db, const Terms& terms)
    : terms_(terms),
      raw_(db, "SELECT raw FROM inbox WHERE msg=?"),
      add_(db, "INSERT INTO dead_letter VALUES(?,?,?,?,?,?,?,?,?)"),
      drop_(db, "DELETE FROM dead_letter WHERE msg=?") {}

void Letters::Add(int64_t msg, int64_t feed, const SiteInfo& site, const Digest16& content, std::string_view detail) {
  MessageFacts facts;
  int64_t patient = 0;
  if (raw_.First(msg)) {
    facts = FactsOf(raw_.Bytes(0));
    patient = facts.patient.empty() ? 0 : terms_.Hash(facts.patient);
    raw_.Reset();
  }
  add_.Run(msg, feed, std::string_view(site.error_class), std::string_view(site.code), std::string_view(site.path), Blob{View(content)},
           std::string_view(facts.sender), detail, patient);
}

bool DescribeLetters(Database& db) {
  const Terms terms(db);
  Statement describe(db, "UPDATE dead_letter SET sender=?, patient=? WHERE msg=?");
  Statement all(db, "SELECT d.msg, i.raw FROM dead_letter d JOIN inbox i ON i.msg=d.msg");
  for (bool row = all.First(); row; row = all.Next()) {
    const MessageFacts facts = FactsOf(all.Bytes(1));
    describe.Run(std::string_view(facts.sender), facts.patient.empty() ? int64_t{0} : terms.Hash(facts.patient), all.Int(0));
  }
  return db.ok();
}

}  // namespace weir::hub
