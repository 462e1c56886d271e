#include "runtime/hub/impl.h"

namespace weir::hub {
namespace {

// Binds of the filter: 1 class, 2 code, 3 path, 4 sender, 5 since.
std::string Where(const LetterFilter& filter) {
  std::string where =
      " FROM dead_letter d JOIN inbox i ON i.msg=d.msg WHERE (?1='' OR d.class=?1) AND (?2='' OR d.code=?2) AND (?3='' OR d.path=?3) "
      "AND (?4='' OR d.sender=?4) AND i.received>=?5";
  if (!filter.ids.empty()) {
    where += " AND d.msg IN (";
    for (size_t i = 0; i < filter.ids.size(); ++i) {
      where += (i == 0 ? "" : ",") + std::to_string(filter.ids[i]);
    }
    where += ")";
  }
  return where;
}

bool First(Statement& statement, const LetterFilter& filter) {
  return statement.First(std::string_view(filter.error_class), std::string_view(filter.code), std::string_view(filter.path),
                         std::string_view(filter.sender), filter.since_us.value_or(INT64_MIN));
}

}  // namespace

Result<std::vector<DeadLetter>> Hub::DeadLetters(const LetterFilter& filter) {
  std::vector<DeadLetter> letters;
  {
    Statement all(impl_->db,
                  "SELECT d.msg, d.feed, d.class, d.code, d.path, i.event, i.source, i.kernel, i.position, d.sender, d.detail, i.received" +
                      Where(filter) + " ORDER BY d.msg");
    for (bool row = First(all, filter); row; row = all.Next()) {
      letters.push_back({.id = all.Int(0),
                         .feed = impl_->names->Text("feed", all.Int(1)),
                         .error_class = all.String(2),
                         .code = all.String(3),
                         .path = all.String(4),
                         .event = all.String(5),
                         .source = impl_->names->Text("source", all.Int(6)),
                         .semantic_digest = impl_->names->Text("kernel", all.Int(7)),
                         .position = static_cast<uint64_t>(all.Int(8)),
                         .sender = all.String(9),
                         .detail = all.String(10),
                         .received_us = all.Int(11)});
    }
  }
  return impl_->db.ok() ? Result<std::vector<DeadLetter>>(std::move(letters)) : Result<std::vector<DeadLetter>>(impl_->db.error());
}

Result<std::vector<LetterGroup>> Hub::LetterGroups(const LetterFilter& filter) {
  std::vector<LetterGroup> groups;
  {
    Statement all(impl_->db,
                  "SELECT d.feed, d.class, d.code, d.path, d.sender, d.detail, count(*), count(DISTINCT nullif(d.patient, 0)), min(d.msg), "
                  "max(d.msg), min(i.received), max(i.received)" +
                      Where(filter) + " GROUP BY d.feed, d.class, d.code, d.path, d.sender, d.detail ORDER BY count(*) DESC, min(d.msg)");
    for (bool row = First(all, filter); row; row = all.Next()) {
      groups.push_back({.feed = impl_->names->Text("feed", all.Int(0)),
                        .error_class = all.String(1),
                        .code = all.String(2),
                        .path = all.String(3),
                        .sender = all.String(4),
                        .detail = all.String(5),
                        .count = all.Int(6),
                        .patients = all.Int(7),
                        .first_id = all.Int(8),
                        .last_id = all.Int(9),
                        .first_received_us = all.Int(10),
                        .last_received_us = all.Int(11)});
    }
  }
  return impl_->db.ok() ? Result<std::vector<LetterGroup>>(std::move(groups)) : Result<std::vector<LetterGroup>>(impl_->db.error());
}

Result<std::optional<std::string>> Hub::DeadLetterRaw(int64_t id) {
  const auto letters = DeadLetters({.ids = {id}});
  if (!letters) {
    return letters.error();
  }
  if (letters->empty()) {
    return std::optional<std::string>();
  }
  auto stored = LoadCopy(id);
  if (!stored) {
    return stored.error();
  }
  const std::string name = "message " + std::to_string(id);
  if (stored->damaged) {
    return Error{name + " is damaged: its bytes are not those that were received"};
  }
  if (!stored->raw) {
    return Error{"the bytes of " + name + " were dropped"};
  }
  return impl_->egress.ReleaseMessage({.route = Route::kPayload}, std::move(*stored->raw));
}

}  // namespace weir::hub
