#include "runtime/hub/inbox.h"

#include <algorithm>

namespace weir::hub {
namespace {

// "Type/<hex>" of the reference in a top-level member of a body; empty when there is none.
std::string_view ReferenceIn(std::string_view body, std::string_view member) {
  const std::string_view text = fold::TopLevelMember(fold::TopLevelMember(body, member), "reference");
  return text.size() > 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : std::string_view();
}

// How many keys the key is within, by what the record says of it.
size_t Depth(const Record& record, std::string_view id) {
  size_t depth = 0;
  for (auto key = record.keys.begin(); key != record.keys.end() && depth <= record.keys.size();) {
    key = std::ranges::find_if(record.keys, [&](const weir_key& k) { return std::string_view(k.id, 32) == id; });
    if (key != record.keys.end()) {
      id = {key->parent, 32};
      ++depth;
    }
  }
  return depth;
}

}  // namespace

Inbox::Inbox(Hub::Impl& hub)
    : hub_(hub),
      db_(hub.db),
      next_msg_(db_.Number("SELECT max(msg) FROM inbox") + 1),
      insert_(db_, "INSERT INTO inbox VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      position_(db_,
                "INSERT INTO source_position VALUES(?,?,?) ON CONFLICT DO UPDATE SET position=excluded.position, "
                "watermark=excluded.watermark"),
      archive_(db_,
               "INSERT INTO kernel VALUES(?,?,?) ON CONFLICT DO UPDATE SET manifest=excluded.manifest, artifact=excluded.artifact") {}

Result<void> Inbox::Bind(const Manifest& manifest, std::string_view artifact, bool archive) {
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
  hub_.packages[kernel_] = manifest.package;
  if (archive) {
    archive_.Run(kernel_, std::string_view(manifest.json), Blob{artifact});
  }
  db_.Exec("COMMIT");
  return db_.ok() ? Result<void>() : Result<void>(db_.error());
}

std::string_view Inbox::FeedName(const Record& record) const {
  return record.feed < manifest_->feeds.size() ? std::string_view(manifest_->feeds[record.feed].name) : kUnroutedFeed;
}

Identity Inbox::Identify(const Record& record) const {
  Identity identity{.raw = HashRaw(record.raw)};
  if (record.probed && !record.key.empty()) {
    identity.key = Hasher<16>().Add(FeedName(record)).Add("key").Add(record.key).Finish();
    identity.content = record.content;
  } else {
    identity.key = Hasher<16>().Add(FeedName(record)).Add("raw").Add(View(identity.raw)).Finish();
    identity.content = identity.raw;
  }
  identity.ord = record.probed && !record.order.empty() ? std::string(record.order) : std::string(View(identity.raw));
  return identity;
}

bool Inbox::IsDuplicate(const Record& record) {
  const Identity identity = Identify(record);
  const Outcomes::Group group = hub_.outcomes->Look(identity);
  return group.winner != 0 && !identity.Before(hub_.outcomes->Load(group.winner).identity);
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
      return {"schema", record.rejection.code.empty() ? "unrouted" : record.rejection.code, record.rejection.path};
    case WEIR_LIMIT:
      return {"transform", "limit", record.rejection.path};
    default:
      return record.rejection;
  }
}

Attempt Inbox::Judge(const Record& record, int64_t now_us) const {
  Attempt attempt{.kernel = kernel_, .feed = record.feed < feeds_.size() ? feeds_[record.feed] : unrouted_};
  attempt.identity = Identify(record);
  attempt.event = record.event;
  if (record.event_time_us != INT64_MIN) {
    attempt.event_time = record.event_time_us;
  }
  attempt.site = Refusal(record, now_us);
  attempt.outcome = record.status == WEIR_SUPPRESSED      ? Outcome::kSuppressed
                    : !attempt.site.error_class.empty() ? RejectedAs(attempt.site.error_class)
                                                        : Outcome::kApplied;
  if (attempt.outcome == Outcome::kTerminology) {
    attempt.detail = record.detail;
  } else if (attempt.outcome == Outcome::kApplied) {
    attempt.flags = (record.counters[WEIR_COUNT_DEGRADED] > 0 ? kDegraded : 0) | (record.counters[WEIR_COUNT_OMITTED] > 0 ? kOmitted : 0);
  }
  return attempt;
}

void Inbox::Take(const Record& record, int64_t now_us) {
  Outcomes& outcomes = *hub_.outcomes;
  outcomes.set_now(now_us);
  Attempt attempt = Judge(record, now_us);
  attempt.msg = next_msg_;
  Source& source = SourceOf(record.source);
  source.position = static_cast<int64_t>(record.position);
  source.changed = true;

  const Outcomes::Group group = outcomes.Look(attempt.identity);
  if (group.winner != 0) {
    const Attempt winner = outcomes.Load(group.winner);
    if (!attempt.identity.Before(winner.identity)) {
      attempt.outcome = Outcome::kDuplicate;
      attempt.flags = 0;
      // A copy with other transport fields is evidence of its own; an equal one would be stored for
      // nothing. What a feed does not collect is not kept in any copy.
      return Insert(record, attempt, source, now_us, attempt.identity.raw != winner.identity.raw && winner.outcome != Outcome::kSuppressed);
    }
    outcomes.Replace(winner);
  }
  if (attempt.event_time && attempt.outcome != Outcome::kSuppressed) {
    const int64_t late = record.feed < manifest_->feeds.size() ? manifest_->feeds[record.feed].late_seconds : -1;
    if (late >= 0 && source.watermark && *attempt.event_time < *source.watermark - late * 1'000'000) {
      attempt.flags |= kLate;  // counted when it is applied, now or by a replay
    }
  }
  if (attempt.outcome == Outcome::kApplied) {
    attempt.flags |= group.same_key > 0 ? kKeyReused : 0;
    attempt.rows = static_cast<int64_t>(record.items.size());
    if (attempt.event_time) {
      source.watermark = std::max(source.watermark.value_or(INT64_MIN), *attempt.event_time);
    }
  }
  Insert(record, attempt, source, now_us, attempt.outcome != Outcome::kSuppressed);
  outcomes.Register(attempt);
  if (attempt.outcome == Outcome::kApplied) {
    Contribute(record, attempt);
  }
  outcomes.Settle();
}

void Inbox::Insert(const Record& record, const Attempt& attempt, const Source& source, int64_t now_us, bool keep_raw) {
  ++next_msg_;
  const std::optional<Blob> raw = keep_raw ? std::optional(Blob{record.raw}) : std::nullopt;
  insert_.Run(attempt.msg, source.number, static_cast<int64_t>(record.position), now_us, attempt.feed,
              static_cast<int64_t>(attempt.outcome), attempt.flags, attempt.kernel, record.event, attempt.event_time,
              Blob{attempt.identity.ord}, Blob{View(attempt.identity.raw)}, Blob{View(attempt.identity.key)},
              Blob{View(attempt.identity.content)}, hub_.resources->next_row(), attempt.rows, raw);
  hub_.counters->Count(attempt.feed, attempt.outcome, attempt.flags, 1, hub_.outcomes->OfThisRun(attempt.msg));
  std::string facts;
  AppendNumber(&facts, source.number);
  AppendNumber(&facts, static_cast<int64_t>(record.position));
  AppendNumber(&facts, now_us);
  AppendNumber(&facts, attempt.feed);
  AppendNumber(&facts, attempt.rows);
  facts += View(attempt.identity.raw);
  if (attempt.rows > 0) {
    facts += View(HashRaw(record.bytes));
  }
  hub_.audit->Append(AuditEvent::kReceived, attempt.msg, attempt.outcome, facts);
}

bool Inbox::ToNode(const Record& record, const weir_contribution& item, Node* node) const {
  Digest16 other{};
  const bool alias = item.op == WEIR_OP_ALIAS;
  node->op = item.op;
  node->map = MapNumber(item.map);
  if (item.type >= types_.size() || node->map < 0 || !Unhex({item.id, 32}, &node->key.id) || (alias && !Unhex({item.other_id, 32}, &other)) ||
      uint64_t{item.tag_offset} + item.tag_size > record.bytes.size() || uint64_t{item.body_offset} + item.body_size > record.bytes.size()) {
    return false;
  }
  node->key.type = types_[item.type];
  if (alias) {
    node->other = other;
  }
  node->tag = record.bytes.substr(item.tag_offset, item.tag_size);
  node->body = record.bytes.substr(item.body_offset, item.body_size);
  return true;
}

// Which keys are within which, before their contributions: what is within a merged key has another root from the first.
void Inbox::AddKin(const Record& record, int64_t msg) {
  std::vector<ResourceKey> moved;
  for (const weir_key& key : record.keys) {
    Child child;
    ResourceKey parent;
    if (key.type >= types_.size() || key.parent_type >= types_.size() || !Unhex({key.id, 32}, &child.key.id) ||
        !Unhex({key.parent, 32}, &parent.id)) {
      db_.Fail("the kernel wrote a key outside its manifest");
      return;
    }
    child.key.type = types_[key.type];
    parent.type = types_[key.parent_type];
    memcpy(child.own.data(), key.own, child.own.size());
    const auto now = hub_.aliases->AddKin(parent, child, msg);
    moved.insert(moved.end(), now.begin(), now.end());
  }
  hub_.outcomes->OwnersMoved(moved);
}

void Inbox::Contribute(const Record& record, const Attempt& attempt) {
  AddKin(record, attempt.msg);
  std::vector<Node> touched;
  for (const weir_contribution& item : record.items) {
    Node node{.msg = attempt.msg, .ord = attempt.identity.ord};
    if (!ToNode(record, item, &node)) {
      db_.Fail("the kernel wrote a contribution outside its manifest or its buffer");
      return;
    }
    if (node.op == WEIR_OP_ALIAS && Depth(record, {item.id, 32}) != Depth(record, {item.other_id, 32})) {
      db_.Fail("the kernel aliases keys of unequal depth");
      return;
    }
    if (node.op == WEIR_OP_ALIAS || (node.op == WEIR_OP_RETRACT && hub_.aliases->Has(node.key))) {
      touched.push_back({.op = node.op, .key = node.key});
    }
    hub_.resources->Add(std::move(node));
  }
  if (!touched.empty()) {
    hub_.outcomes->TouchAliases(touched, attempt.msg);
  }
  AddClaims(record, attempt);
}

bool Inbox::SameRows(const Record& record, const Attempt& attempt) {
  if (attempt.rows != static_cast<int64_t>(record.items.size())) {
    return false;
  }
  const std::vector<Node> rows = hub_.resources->RowsOf(attempt.first_row, attempt.rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    Node node;
    if (!ToNode(record, record.items[i], &node) || node.op != rows[i].op || node.map != rows[i].map || node.key != rows[i].key ||
        node.other != rows[i].other || node.tag != rows[i].tag || node.body != rows[i].body) {
      return false;
    }
  }
  return true;
}

void Inbox::AddClaims(const Record& record, const Attempt& attempt) {
  // A merge explains itself: its message makes no claim, so that verdicts never depend on what they
  // decide.
  if (std::ranges::any_of(record.items, [](const weir_contribution& item) { return item.op == WEIR_OP_ALIAS; })) {
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
    const std::string_view owner = ReferenceIn(record.bytes.substr(item.body_offset, item.body_size), map.identity);
    ResourceKey key{types_[item.type], {}};
    if (!owner.empty() && Unhex({item.id, 32}, &key.id)) {
      hub_.claims->Add(key, attempt.identity.ord, attempt.msg, owner);
    }
  }
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
