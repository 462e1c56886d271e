// What leaves the hub for people and files: export, find, dead letters. Consent filters belong here
// when they come.
#include <algorithm>
#include <set>

#include "runtime/hub/impl.h"

namespace weir::hub {
namespace {

std::string Quoted(std::string_view text) {  // as canonical JSON spells it
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "\"";
}

bool HasIdentifier(std::string_view body, const std::string& quoted_value) {
  const std::string_view identifiers = fold::TopLevelMember(body, "identifier");
  return identifiers.find("\"value\":" + quoted_value) != std::string_view::npos;
}

}  // namespace

Result<int64_t> Hub::Export(std::ostream& out, std::string_view type) {
  int64_t count = 0;
  impl_->EachCurrent(type, [&](const std::string&, const ResourceKey&, const std::string& state) {
    out << state << '\n';
    ++count;
  });
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  return count;
}

// A scan: the hub has no search index yet.
Result<int64_t> Hub::Find(std::ostream& out, std::string_view term) {
  const std::string quoted = Quoted(term);
  std::set<std::string> targets;  // "reference":"Type/id" of what matched
  std::set<ResourceKey> matched;
  ResourceKey wanted;
  const bool is_id = Unhex(term, &wanted.id);
  impl_->EachCurrent(
      {}, [&](const std::string& type, const ResourceKey& key, const std::string& state) {
        const bool hit = is_id ? impl_->aliases->Root({key.type, wanted.id}) == key
                               : HasIdentifier(state, quoted);
        if (!hit) {
          return;
        }
        matched.insert(key);
        targets.insert("\"reference\":\"" + type + "/" + Hex(View(key.id)) + "\"");
      });
  int64_t count = 0;
  if (matched.empty()) {
    return count;
  }
  for (const bool first : {true, false}) {  // what matched, then what refers to it
    impl_->EachCurrent(
        {}, [&](const std::string&, const ResourceKey& key, const std::string& state) {
          if (matched.contains(key) != first) {
            return;
          }
          if (!first && std::ranges::none_of(targets, [&](const std::string& target) {
                return state.find(target) != std::string::npos;
              })) {
            return;
          }
          out << state << '\n';
          ++count;
        });
  }
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  return count;
}

Result<std::vector<DeadLetter>> Hub::DeadLetters() {
  std::vector<DeadLetter> letters;
  {
    Statement all(impl_->db,
                  "SELECT d.msg, d.feed, d.class, d.code, d.path, i.event, i.source, i.kernel, "
                  "i.position FROM dead_letter d "
                  "JOIN inbox i ON i.msg=d.msg ORDER BY d.msg");
    for (bool row = all.First(); row; row = all.Next()) {
      letters.push_back({.id = all.Int(0),
                         .feed = impl_->names->Text("feed", all.Int(1)),
                         .error_class = all.String(2),
                         .code = all.String(3),
                         .path = all.String(4),
                         .event = all.String(5),
                         .source = impl_->names->Text("source", all.Int(6)),
                         .semantic_digest = impl_->names->Text("kernel", all.Int(7)),
                         .position = static_cast<uint64_t>(all.Int(8))});
    }
  }
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  return letters;
}

Result<std::optional<std::string>> Hub::DeadLetterRaw(int64_t id) {
  std::optional<std::string> raw;
  {
    Statement load(impl_->db,
                   "SELECT i.raw FROM dead_letter d JOIN inbox i ON i.msg=d.msg WHERE d.msg=?");
    if (load.First(id)) {
      raw = load.String(0);
    }
  }
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  return raw;
}

Result<std::vector<Taken>> Hub::LastBatch() {
  std::vector<Taken> taken;
  {
    Statement all(impl_->db,
                  "SELECT i.status, i.feed, l.class, l.code, l.path FROM inbox i "
                  "JOIN dedupe d ON d.key=i.key AND d.content=i.content "
                  "LEFT JOIN dead_letter l ON l.msg=d.msg WHERE i.msg>=? ORDER BY i.msg");
    for (bool row = all.First(impl_->batch_first_msg); row; row = all.Next()) {
      taken.push_back({NameOf(static_cast<Outcome>(all.Int(0))),
                       impl_->names->Text("feed", all.Int(1)),
                       {all.String(2), all.String(3), all.String(4)}});
    }
  }
  return impl_->db.ok() ? Result<std::vector<Taken>>(std::move(taken))
                        : Result<std::vector<Taken>>(impl_->db.error());
}

Result<uint64_t> Hub::NextPosition(std::string_view source) {
  uint64_t next = 0;
  {
    Statement last(impl_->db,
                   "SELECT p.position FROM name n JOIN source_position p ON p.source=n.n "
                   "WHERE n.kind='source' AND n.text=?");
    if (last.First(source)) {
      next = static_cast<uint64_t>(last.Int(0)) + 1;
    }
  }
  return impl_->db.ok() ? Result<uint64_t>(next) : Result<uint64_t>(impl_->db.error());
}

Result<void> Hub::EachRecord(const std::function<void(const RecordOutcome&)>& visit) {
  {
    Statement all(impl_->db,
                  "SELECT i.source, i.position, i.feed, i.event, i.status, i.rows, d.code, d.path FROM inbox i "
                  "LEFT JOIN dead_letter d ON d.msg=i.msg ORDER BY i.msg");
    for (bool row = all.First(); row; row = all.Next()) {
      visit({.source = impl_->names->Text("source", all.Int(0)),
             .feed = impl_->names->Text("feed", all.Int(2)),
             .event = all.String(3),
             .position = static_cast<uint64_t>(all.Int(1)),
             .outcome = NameOf(static_cast<Outcome>(all.Int(4))),
             .code = all.String(6),
             .path = all.String(7),
             .contributions = all.Int(5)});
    }
  }
  return impl_->db.ok() ? Result<void>() : Result<void>(impl_->db.error());
}

}  // namespace weir::hub
