#include "runtime/hub/terms.h"

#include <cstring>

#include "runtime/fold/fold.h"
#include "runtime/hub/message_facts.h"

namespace weir::hub {
namespace {

constexpr size_t kLately = 1u << 16;
constexpr std::string_view kIndexedReferences[] = {"Patient", "Encounter"};

// As canonical JSON spells it, between the quotes.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

// Calls `visit` with the text of every string member `name` in a piece of canonical JSON, escapes as written.
template <typename Visit>
void EachString(std::string_view json, std::string_view name, Visit visit) {
  const std::string start = "\"" + std::string(name) + "\":\"";
  for (size_t at = json.find(start); at != json.npos; at = json.find(start, at)) {
    at += start.size();
    size_t end = at;
    while (end < json.size() && json[end] != '"') {
      end += json[end] == '\\' ? 2 : 1;
    }
    if (end >= json.size()) {
      return;
    }
    visit(json.substr(at, end - at));
    at = end;
  }
}

int64_t FirstBytes(std::string_view bytes) {
  int64_t value = 0;
  memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

}  // namespace

Terms::Terms(Database& db)
    : lately_(kLately),
      add_(db, "INSERT OR IGNORE INTO term VALUES(?,?,?,?)"),
      find_(db, "SELECT type, ref FROM term WHERE hash=? AND kind=?"),
      load_mark_(db, "SELECT msg, row FROM term_mark"),
      save_mark_(db, "INSERT INTO term_mark VALUES(1,?,?) ON CONFLICT DO UPDATE SET msg=excluded.msg, row=excluded.row"),
      messages_(db, "SELECT msg, raw FROM inbox WHERE msg>? ORDER BY msg LIMIT ?"),
      bodies_(db, "SELECT row, type, id, body FROM contribution WHERE row>? ORDER BY row LIMIT ?") {
  Statement load(db, "SELECT value FROM meta WHERE name='secret'");
  if (load.First()) {
    memcpy(secret_.data(), load.Bytes(0).data(), std::min(secret_.size(), load.Bytes(0).size()));
  }
}

int64_t Terms::Hash(std::string_view text) const {
  std::array<uint8_t, 16> hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const uint8_t*>(text.data()), text.size(), secret_.data(), secret_.size());
  return FirstBytes(View(hash));
}

bool Terms::Fresh(int64_t hash, int64_t kind, std::string_view reference) {
  const int64_t mark = hash ^ FirstBytes(reference) ^ kind << 56;
  int64_t& slot = lately_[static_cast<size_t>(mark) % kLately];
  if (slot == mark) {
    return false;
  }
  slot = mark;
  return true;
}

void Terms::Add(int64_t hash, Kind kind, const ResourceKey& key) {
  if (Fresh(hash, kind, View(key.id))) {
    add_.Run(hash, static_cast<int64_t>(kind), key.type, Blob{View(key.id)});
  }
}

void Terms::AddMessage(int64_t msg, std::string_view control_id) {
  if (!control_id.empty()) {
    add_.Run(Hash(control_id), static_cast<int64_t>(kControlId), int64_t{0}, msg);
  }
}

void Terms::AddBody(const ResourceKey& key, std::string_view body) {
  EachString(fold::TopLevelMember(body, "identifier"), "value", [&](std::string_view value) { Add(Hash(value), kIdentifier, key); });
  EachString(body, "reference", [&](std::string_view reference) {
    for (const std::string_view type : kIndexedReferences) {
      Digest16 id{};
      if (reference.size() == type.size() + 33 && reference.starts_with(type) && Unhex(reference.substr(type.size() + 1), &id)) {
        Add(FirstBytes(View(id)), kReference, key);
      }
    }
  });
}

std::vector<int64_t> Terms::MessagesWith(std::string_view control_id) {
  std::vector<int64_t> messages;
  for (bool row = find_.First(Hash(control_id), static_cast<int64_t>(kControlId)); row; row = find_.Next()) {
    messages.push_back(find_.Int(1));
  }
  return messages;
}

std::vector<ResourceKey> Terms::Keys(int64_t hash, Kind kind) {
  std::vector<ResourceKey> keys;
  for (bool row = find_.First(hash, static_cast<int64_t>(kind)); row; row = find_.Next()) {
    ResourceKey& key = keys.emplace_back(ResourceKey{find_.Int(0), {}});
    memcpy(key.id.data(), find_.Bytes(1).data(), std::min(key.id.size(), find_.Bytes(1).size()));
  }
  return keys;
}

std::vector<ResourceKey> Terms::ResourcesWith(std::string_view identifier) { return Keys(Hash(Escaped(identifier)), kIdentifier); }

std::vector<ResourceKey> Terms::ReferrersOf(const ResourceKey& key) { return Keys(FirstBytes(View(key.id)), kReference); }

bool Terms::CatchUp(int64_t rows) {
  int64_t message = 0, body = 0;  // the last ones indexed
  if (load_mark_.First()) {
    message = load_mark_.Int(0);
    body = load_mark_.Int(1);
    load_mark_.Reset();
  }
  int64_t done = 0;
  for (bool row = messages_.First(message, rows); row; row = messages_.Next(), ++done) {
    message = messages_.Int(0);
    AddMessage(message, FactsOf(messages_.Bytes(1)).control_id);
  }
  int64_t bodies = 0;
  for (bool row = bodies_.First(body, rows); row; row = bodies_.Next(), ++bodies) {
    body = bodies_.Int(0);
    ResourceKey key{bodies_.Int(1), {}};
    memcpy(key.id.data(), bodies_.Bytes(2).data(), std::min(key.id.size(), bodies_.Bytes(2).size()));
    AddBody(key, bodies_.Bytes(3));
  }
  if (done > 0 || bodies > 0) {
    save_mark_.Run(message, body);
  }
  return done < rows && bodies < rows;
}

}  // namespace weir::hub
