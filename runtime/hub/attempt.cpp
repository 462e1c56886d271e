#include "runtime/hub/attempt.h"

namespace weir::hub {
namespace {

constexpr const char* kLoad =
    "SELECT kernel, feed, status, flags, event, event_time, ord, key, content, first_row, rows, digest FROM inbox WHERE msg=?";
constexpr const char* kAt =
    "SELECT a.kernel, a.feed, a.status, a.flags, a.event, a.event_time, a.ord, a.key, a.content, a.first_row, a.rows, i.digest, "
    "a.class, a.code, a.path FROM attempt a JOIN inbox i ON i.msg=a.msg WHERE a.msg=? AND a.until>? ORDER BY a.until LIMIT 1";

Digest16 DigestOf(std::string_view bytes) {
  Digest16 digest{};
  if (bytes.size() == digest.size()) {
    memcpy(digest.data(), bytes.data(), digest.size());
  }
  return digest;
}

Attempt Read(const Statement& row, int64_t msg) {
  return {.msg = msg,
          .kernel = row.Int(0),
          .feed = row.Int(1),
          .flags = row.Int(3),
          .first_row = row.Int(9),
          .rows = row.Int(10),
          .outcome = static_cast<Outcome>(row.Int(2)),
          .event = row.String(4),
          .event_time = row.IsNull(5) ? std::nullopt : std::optional(row.Int(5)),
          .identity = {DigestOf(row.Bytes(11)), DigestOf(row.Bytes(7)), DigestOf(row.Bytes(8)), row.String(6)}};
}

}  // namespace

Attempts::Attempts(Database& db)
    : db_(db),
      load_(db, kLoad),
      site_(db, "SELECT class, code, path FROM dead_letter WHERE msg=?"),
      save_(db,
            "UPDATE inbox SET kernel=?, feed=?, status=?, flags=?, event=?, event_time=?, ord=?, key=?, content=?, first_row=?, rows=? "
            "WHERE msg=?"),
      end_(db, "INSERT INTO attempt VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      at_(db, kAt),
      changed_(db, "SELECT DISTINCT msg FROM attempt WHERE until>? ORDER BY msg") {}

Attempt Attempts::Load(int64_t msg) {
  if (!load_.First(msg)) {
    db_.Fail("a message is missing from the inbox");
    return {.msg = msg};
  }
  Attempt attempt = Read(load_, msg);
  load_.Reset();
  if (IsRejected(attempt.outcome) && site_.First(msg)) {
    attempt.site = {site_.String(0), site_.String(1), site_.String(2)};
    site_.Reset();
  }
  return attempt;
}

void Attempts::Save(const Attempt& a) {
  save_.Run(a.kernel, a.feed, static_cast<int64_t>(a.outcome), a.flags, std::string_view(a.event), a.event_time, Blob{a.identity.ord},
            Blob{View(a.identity.key)}, Blob{View(a.identity.content)}, a.first_row, a.rows, a.msg);
}

void Attempts::End(const Attempt& a, int64_t until) {
  end_.Run(a.msg, until, a.kernel, a.feed, static_cast<int64_t>(a.outcome), a.flags, std::string_view(a.event), a.event_time,
           Blob{a.identity.ord}, Blob{View(a.identity.key)}, Blob{View(a.identity.content)}, a.first_row, a.rows,
           std::string_view(a.site.error_class), std::string_view(a.site.code), std::string_view(a.site.path));
}

std::optional<Attempt> Attempts::At(int64_t msg, int64_t seq) {
  if (!at_.First(msg, seq)) {
    return std::nullopt;
  }
  Attempt attempt = Read(at_, msg);
  attempt.site = {at_.String(12), at_.String(13), at_.String(14)};
  at_.Reset();
  return attempt;
}

std::vector<int64_t> Attempts::ChangedAfter(int64_t seq) {
  std::vector<int64_t> messages;
  for (bool row = changed_.First(seq); row; row = changed_.Next()) {
    messages.push_back(changed_.Int(0));
  }
  return messages;
}

}  // namespace weir::hub
