#include "runtime/hub/inbox.h"

#include <algorithm>

namespace weir::hub {
namespace {

void AppendNumber(std::string* facts, int64_t value) {
  facts->append(reinterpret_cast<const char*>(&value), sizeof value);
}

// "Type/<hex>" of the reference in a top-level member of a body; empty when there is none.
std::string_view ReferenceIn(std::string_view body, std::string_view member) {
  const std::string_view text =
      fold::TopLevelMember(fold::TopLevelMember(body, member), "reference");
  return text.size() > 2 && text.front() == '"' ? text.substr(1, text.size() - 2)
                                                : std::string_view();
}

}  // namespace

Inbox::Inbox(Hub::Impl& hub)
    : hub_(hub),
      db_(hub.db),
      next_msg_(db_.Number("SELECT max(msg) FROM inbox") + 1),
      run_first_msg_(next_msg_),
      next_audit_(db_.Number("SELECT max(seq) FROM audit") + 1),
      group_(db_, "SELECT content, msg FROM dedupe WHERE key=?"),
      key_applied_(db_,
                   "SELECT count(*) FROM dedupe d JOIN inbox i ON i.msg=d.msg WHERE d.key=? AND "
                   "d.content<>? AND i.status=0"),
      dedupe_(db_, "INSERT INTO dedupe VALUES(?,?,?) ON CONFLICT DO UPDATE SET msg=excluded.msg"),
      insert_(db_, "INSERT INTO inbox VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      message_(db_,
               "SELECT feed, status, flags, first_row, rows, event_time, digest, key, content, ord "
               "FROM inbox WHERE msg=?"),
      status_(db_, "UPDATE inbox SET status=?, flags=? WHERE msg=?"),
      flags_(db_,
             "SELECT i.msg, i.feed, i.flags FROM dedupe d JOIN inbox i ON i.msg=d.msg WHERE "
             "d.key=? AND i.status=0 ORDER BY i.msg"),
      letter_(db_, "INSERT INTO dead_letter VALUES(?,?,?,?,?,?)"),
      drop_letter_(db_, "DELETE FROM dead_letter WHERE msg=?"),
      audit_(db_, "INSERT INTO audit VALUES(?,?,?,?,?)"),
      position_(db_,
                "INSERT INTO source_position VALUES(?,?,?) ON CONFLICT DO UPDATE SET "
                "position=excluded.position, "
                "watermark=excluded.watermark"),
      archive_(db_,
               "INSERT INTO kernel VALUES(?,?,?) ON CONFLICT DO UPDATE SET "
               "manifest=excluded.manifest, artifact=excluded.artifact") {
  Statement last(db_, "SELECT hash FROM audit ORDER BY seq DESC LIMIT 1");
  if (last.First() && last.Bytes(0).size() == chain_.size()) {
    memcpy(chain_.data(), last.Bytes(0).data(), chain_.size());
  }
}

Result<void> Inbox::Bind(const Manifest& manifest, std::string_view artifact) {
  manifest_ = &manifest;
  feeds_.clear();
  types_.clear();
  maps_.clear();
  db_.Exec("BEGIN IMMEDIATE");
  unrouted_ = hub_.names->Number("feed", kUnroutedFeed);
  for (const FeedInfo& feed : manifest.feeds) {
    feeds_.push_back(hub_.names->Number("feed", feed.name));
  }
  for (const MapInfo& map : manifest.maps) {
    maps_.push_back(hub_.names->Number("map", map.name));
  }
  for (const TypeInfo& type : manifest.types) {
    types_.push_back(hub_.names->Number("type", type.name));
    hub_.resources->SetOrder(types_.back(), type.order);
  }
  kernel_ = hub_.names->Number("kernel", manifest.semantic_digest);
  archive_.Run(kernel_, std::string_view(manifest.json), Blob{artifact});
  db_.Exec("COMMIT");
  return db_.ok() ? Result<void>() : Result<void>(db_.error());
}

std::string_view Inbox::FeedName(const Record& record) const {
  return record.feed < manifest_->feeds.size()
             ? std::string_view(manifest_->feeds[record.feed].name)
             : kUnroutedFeed;
}

Inbox::Identity Inbox::Identify(const Record& record) const {
  Identity identity{.raw = HashRaw(record.raw)};
  if (record.probed && !record.key.empty()) {
    identity.key = Hasher<16>().Add(FeedName(record)).Add("key").Add(record.key).Finish();
    identity.content = record.content;
  } else {
    identity.key = Hasher<16>().Add(FeedName(record)).Add("raw").Add(View(identity.raw)).Finish();
    identity.content = identity.raw;
  }
  identity.ord = record.probed && !record.order.empty() ? std::string(record.order)
                                                        : std::string(View(identity.raw));
  return identity;
}

Inbox::Group Inbox::Look(const Identity& identity) {
  Group group;
  bool others = false;
  for (bool row = group_.First(Blob{View(identity.key)}); row; row = group_.Next()) {
    if (group_.Bytes(0) == View(identity.content)) {
      group.winner = group_.Int(1);
    } else {
      others = true;
    }
  }
  if (others) {
    key_applied_.First(Blob{View(identity.key)}, Blob{View(identity.content)});
    group.same_key = key_applied_.Int(0);
    key_applied_.Reset();
  }
  return group;
}

Inbox::Stored Inbox::LoadMessage(int64_t msg) {
  Stored stored{.msg = msg};
  if (!message_.First(msg)) {
    db_.Fail("a message is missing from the inbox");
    return stored;
  }
  stored.feed = message_.Int(0);
  stored.outcome = static_cast<Outcome>(message_.Int(1));
  stored.flags = message_.Int(2);
  stored.first_row = message_.Int(3);
  stored.rows = message_.Int(4);
  stored.event_time = message_.Int(5);
  Digest16* digests[] = {&stored.raw, &stored.key, &stored.content};
  for (int i = 0; i < 3; ++i) {
    memcpy(digests[i]->data(), message_.Bytes(6 + i).data(),
           std::min<size_t>(16, message_.Bytes(6 + i).size()));
  }
  stored.ord = message_.String(9);
  message_.Reset();
  return stored;
}

bool Inbox::IsDuplicate(const Record& record) {
  const Identity identity = Identify(record);
  const Group group = Look(identity);
  if (group.winner == 0) {
    return false;
  }
  const Stored winner = LoadMessage(group.winner);
  return std::pair(std::string_view(identity.ord), identity.raw) >=
         std::pair(std::string_view(winner.ord), winner.raw);
}

Inbox::Source& Inbox::SourceOf(std::string_view name) {
  if (last_ != nullptr && name == last_source_) {
    return *last_;
  }
  auto found = sources_.find(name);
  if (found == sources_.end()) {
    Source source{.number = hub_.names->Number("source", name)};
    Statement load(db_, "SELECT watermark FROM source_position WHERE source=?");
    if (load.First(source.number) && !load.IsNull(0)) {
      source.watermark = load.Int(0);
    }
    found = sources_.emplace(name, source).first;
  }
  last_source_ = name;
  return *(last_ = &found->second);
}

SiteInfo Inbox::Refusal(const Record& record, int64_t now_us) const {
  switch (record.status) {
    case WEIR_OK: {
      if (record.feed >= manifest_->feeds.size() || record.event_time_us == INT64_MIN) {
        return {};
      }
      const int64_t future = manifest_->feeds[record.feed].future_seconds;
      if (future >= 0 && record.event_time_us > now_us + future * 1'000'000) {
        return {"schema", "future", {}};
      }
      return {};
    }
    case WEIR_SUPPRESSED:
      return {};
    case WEIR_UNROUTED:
      return {"schema", record.rejection.code.empty() ? "unrouted" : record.rejection.code,
              record.rejection.path};
    case WEIR_LIMIT:
      return {"transform", "limit", record.rejection.path};
    default:
      return record.rejection;
  }
}

void Inbox::Take(const Record& record, int64_t now_us) {
  const Identity identity = Identify(record);
  const int64_t feed = record.feed < feeds_.size() ? feeds_[record.feed] : unrouted_;
  Source& source = SourceOf(record.source);
  source.position = static_cast<int64_t>(record.position);
  source.changed = true;

  const Group group = Look(identity);
  if (group.winner != 0) {
    const Stored winner = LoadMessage(group.winner);
    if (std::pair(std::string_view(identity.ord), identity.raw) >=
        std::pair(std::string_view(winner.ord), winner.raw)) {
      return TakeDuplicate(record, identity, winner, feed, source, now_us);
    }
    Retire(winner, Outcome::kDuplicate, AuditEvent::kReplaced);
  }

  const SiteInfo refusal = Refusal(record, now_us);
  const Outcome outcome = record.status == WEIR_SUPPRESSED ? Outcome::kSuppressed
                          : !refusal.error_class.empty()   ? RejectedAs(refusal.error_class)
                                                           : Outcome::kApplied;
  int64_t flags = 0;
  if (outcome == Outcome::kApplied) {
    if (group.same_key > 0) {
      flags |= kKeyReused;
    }
    if (record.counters[WEIR_COUNT_DEGRADED] > 0) {
      flags |= kDegraded;
    }
    if (record.counters[WEIR_COUNT_OMITTED] > 0) {
      flags |= kOmitted;
    }
    const int64_t late =
        record.feed < manifest_->feeds.size() ? manifest_->feeds[record.feed].late_seconds : -1;
    if (record.event_time_us != INT64_MIN) {
      if (late >= 0 && source.watermark &&
          record.event_time_us < *source.watermark - late * 1'000'000) {
        flags |= kLate;
      }
      source.watermark = std::max(source.watermark.value_or(INT64_MIN), record.event_time_us);
    }
  }
  const int64_t msg = next_msg_;
  const auto rows = outcome == Outcome::kApplied ? static_cast<int64_t>(record.items.size()) : 0;
  Insert(record, identity, outcome, flags, feed, source, now_us, rows,
         outcome != Outcome::kSuppressed);
  dedupe_.Run(Blob{View(identity.key)}, Blob{View(identity.content)}, msg);
  if (outcome == Outcome::kApplied) {
    AddContributions(record, identity);
    AddClaims(record, identity);
  } else if (outcome != Outcome::kSuppressed) {
    AddDeadLetter(msg, feed, refusal, identity.content);
  }
  hub_.claims->Settle([this](int64_t other, bool accepted) { Flip(other, accepted); });
}

void Inbox::TakeDuplicate(const Record& record, const Identity& identity, const Stored& winner,
                          int64_t feed, Source& source, int64_t now_us) {
  // A copy with other transport fields is evidence of its own; an equal one would be stored for
  // nothing. What a feed does not collect is not kept in any copy.
  const bool keep_raw = identity.raw != winner.raw && winner.outcome != Outcome::kSuppressed;
  Insert(record, identity, Outcome::kDuplicate, 0, feed, source, now_us, 0, keep_raw);
}

void Inbox::Insert(const Record& record, const Identity& identity, Outcome outcome, int64_t flags,
                   int64_t feed, const Source& source, int64_t now_us, int64_t rows,
                   bool keep_raw) {
  const int64_t msg = next_msg_++;
  const std::optional<int64_t> event_time =
      record.event_time_us == INT64_MIN ? std::nullopt : std::optional(record.event_time_us);
  const std::optional<Blob> raw = keep_raw ? std::optional(Blob{record.raw}) : std::nullopt;
  insert_.Run(msg, source.number, static_cast<int64_t>(record.position), now_us, feed,
              static_cast<int64_t>(outcome), flags, kernel_, record.event, event_time,
              Blob{identity.ord}, Blob{View(identity.raw)}, Blob{View(identity.key)},
              Blob{View(identity.content)}, hub_.resources->next_row(), rows, raw);
  hub_.counters->Count(feed, outcome, flags, 1, msg >= run_first_msg_);
  std::string facts;
  AppendNumber(&facts, source.number);
  AppendNumber(&facts, static_cast<int64_t>(record.position));
  AppendNumber(&facts, now_us);
  AppendNumber(&facts, feed);
  AppendNumber(&facts, rows);
  facts += View(identity.raw);
  if (rows > 0) {
    facts += View(HashRaw(record.bytes));
  }
  Audit(AuditEvent::kReceived, msg, outcome, facts);
}

void Inbox::AddContributions(const Record& record, const Identity& identity) {
  const int64_t msg = next_msg_ - 1;
  std::vector<Node> touched;
  for (const weir_contribution& item : record.items) {
    Node node{.msg = msg, .op = item.op, .map = MapNumber(item.map), .ord = identity.ord};
    Digest16 other{};
    const bool alias = item.op == WEIR_OP_ALIAS;
    if (item.type >= types_.size() || node.map < 0 || !Unhex({item.id, 32}, &node.key.id) ||
        (alias && !Unhex({item.other_id, 32}, &other)) ||
        uint64_t{item.tag_offset} + item.tag_size > record.bytes.size() ||
        uint64_t{item.body_offset} + item.body_size > record.bytes.size()) {
      db_.Fail("the kernel wrote a contribution outside its manifest or its buffer");
      return;
    }
    node.key.type = types_[item.type];
    if (alias) {
      node.other = other;
    }
    node.tag = record.bytes.substr(item.tag_offset, item.tag_size);
    node.body = record.bytes.substr(item.body_offset, item.body_size);
    if (alias || (item.op == WEIR_OP_RETRACT && hub_.aliases->Has(node.key))) {
      touched.push_back({.op = node.op, .key = node.key});
    }
    hub_.resources->Add(std::move(node));
  }
  if (!touched.empty()) {
    TouchAliases(touched, msg);
  }
}

void Inbox::TouchAliases(const std::vector<Node>& rows, int64_t cause) {
  std::vector<std::string> moved;
  for (const Node& node : rows) {
    if (node.op != WEIR_OP_ALIAS && !(node.op == WEIR_OP_RETRACT && hub_.aliases->Has(node.key))) {
      continue;
    }
    for (const ResourceKey& key : hub_.aliases->Touch(node.key, cause)) {
      moved.push_back(hub_.names->Text("type", key.type) + "/" + Hex(View(key.id)));
    }
  }
  hub_.claims->OwnersMoved(moved);
}

void Inbox::AddClaims(const Record& record, const Identity& identity) {
  // A merge explains itself: its message makes no claim, so that verdicts never depend on what they
  // decide.
  if (std::ranges::any_of(record.items,
                          [](const weir_contribution& item) { return item.op == WEIR_OP_ALIAS; })) {
    return;
  }
  if (!db_.ok()) {
    return;  // ordinals are not known to be sound
  }
  for (const weir_contribution& item : record.items) {
    const MapInfo& map = manifest_->maps[item.map];
    if (map.identity.empty() || item.body_size == 0) {
      continue;
    }
    const std::string_view owner =
        ReferenceIn(record.bytes.substr(item.body_offset, item.body_size), map.identity);
    ResourceKey key{types_[item.type], {}};
    if (!owner.empty() && Unhex({item.id, 32}, &key.id)) {
      hub_.claims->Add(key, identity.ord, next_msg_ - 1, owner);
    }
  }
}

// Only as many applied messages of a key are `key_reused` as there are beyond one.
void Inbox::ReleaseKey(const Stored& message) {
  if (message.outcome != Outcome::kApplied || (message.flags & kKeyReused)) {
    return;
  }
  std::optional<Stored> heir;
  for (bool row = flags_.First(Blob{View(message.key)}); row && !heir; row = flags_.Next()) {
    if (flags_.Int(0) != message.msg && (flags_.Int(2) & kKeyReused)) {
      heir = Stored{.msg = flags_.Int(0), .feed = flags_.Int(1), .flags = flags_.Int(2)};
    }
  }
  flags_.Reset();
  if (!heir) {
    return;
  }
  status_.Run(static_cast<int64_t>(Outcome::kApplied), heir->flags & ~int64_t{kKeyReused},
              heir->msg);
  hub_.counters->CountFlags(heir->feed, kKeyReused, -1, heir->msg >= run_first_msg_);
}

// The message stops being what counts: its rows leave their chains, its dead letter goes.
void Inbox::Retire(const Stored& old, Outcome outcome, AuditEvent event) {
  ReleaseKey(old);
  hub_.counters->Count(old.feed, old.outcome, old.flags, -1, old.msg >= run_first_msg_);
  hub_.counters->Count(old.feed, outcome, 0, 1, old.msg >= run_first_msg_);
  // A refused one may be accepted again and keeps its own flags for that.
  status_.Run(static_cast<int64_t>(outcome),
              event == AuditEvent::kRefused ? old.flags & ~int64_t{kKeyReused} : 0, old.msg);
  drop_letter_.Run(old.msg);
  if (old.outcome == Outcome::kApplied && old.rows > 0) {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < old.rows; ++i) {
      rows.push_back(old.first_row + i);
    }
    hub_.resources->Unlink(rows, old.msg);
    TouchAliases(hub_.resources->RowsOf(old.first_row, old.rows), old.msg);
  }
  if (event == AuditEvent::kReplaced) {
    hub_.claims->Remove(old.msg);
  }
  Audit(event, old.msg, outcome, {});
}

// Another record changed the verdict on this message's identity.
void Inbox::Flip(int64_t msg, bool accepted) {
  Stored message = LoadMessage(msg);
  if (!accepted) {
    Retire(message, Outcome::kTransform, AuditEvent::kRefused);
    AddDeadLetter(msg, message.feed, {"transform", "identity", {}}, message.content);
    return;
  }
  key_applied_.First(Blob{View(message.key)}, Blob{View(message.content)});
  const int64_t flags = message.flags | (key_applied_.Int(0) > 0 ? kKeyReused : 0);
  key_applied_.Reset();
  hub_.counters->Count(message.feed, message.outcome, 0, -1, msg >= run_first_msg_);
  hub_.counters->Count(message.feed, Outcome::kApplied, flags, 1, msg >= run_first_msg_);
  status_.Run(static_cast<int64_t>(Outcome::kApplied), flags, msg);
  drop_letter_.Run(msg);
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < message.rows; ++i) {
    rows.push_back(message.first_row + i);
  }
  hub_.resources->Link(rows, msg);
  TouchAliases(hub_.resources->RowsOf(message.first_row, message.rows), msg);
  Audit(AuditEvent::kAccepted, msg, Outcome::kApplied, {});
}

void Inbox::AddDeadLetter(int64_t msg, int64_t feed, const SiteInfo& site,
                          const Digest16& content) {
  letter_.Run(msg, feed, std::string_view(site.error_class), std::string_view(site.code),
              std::string_view(site.path), Blob{View(content)});
}

void Inbox::Audit(AuditEvent event, int64_t msg, Outcome outcome, std::string_view more) {
  std::string facts;
  AppendNumber(&facts, static_cast<int64_t>(outcome));
  facts += more;
  std::string head;
  AppendNumber(&head, next_audit_);
  AppendNumber(&head, static_cast<int64_t>(event));
  AppendNumber(&head, msg);
  chain_ = Hasher<32>().Add(View(chain_)).Add(head).Add(facts).Finish();
  audit_.Run(next_audit_++, msg, static_cast<int64_t>(event), Blob{facts}, Blob{View(chain_)});
}

void Inbox::Save() {
  for (auto& [name, source] : sources_) {
    if (!source.changed) {
      continue;
    }
    position_.Run(source.number, source.position, source.watermark);
    source.changed = false;
  }
  hub_.counters->Save();
}

}  // namespace weir::hub
