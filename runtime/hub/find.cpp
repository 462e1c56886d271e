// Search through the index (terms.h), audited.
#include <algorithm>
#include <set>

#include "runtime/base/clock.h"
#include "runtime/hub/impl.h"

namespace weir::hub {
namespace {

constexpr int64_t kSlice = 4096;      // rows of the index in one transaction: a node waits for it
constexpr size_t kAuditedIds = 100;   // an act names so many resources

class Finder {
 public:
  Finder(Hub::Impl& hub, std::string_view needle) : hub_(hub) {
    Digest16 id{};
    if (Unhex(needle, &id)) {
      for (const auto& [name, type] : hub_.TypesByName()) {
        AddHit({type, id});
      }
    }
    for (const ResourceKey& key : hub_.terms->ResourcesWith(needle)) {
      AddHit(key);
    }
    for (const int64_t msg : hub_.terms->MessagesWith(needle)) {
      AddMessage(msg);
    }
    AddReferrers();
  }

  const std::set<ResourceKey>& hits() const { return hits_; }
  const std::set<ResourceKey>& referrers() const { return referrers_; }
  const std::vector<FoundMessage>& messages() const { return messages_; }

 private:
  void AddHit(const ResourceKey& key) {
    const ResourceKey root = hub_.aliases->Root(key);
    if (hub_.CurrentState(root)) {
      hits_.insert(root);
    }
  }

  void AddMessage(int64_t msg) {
    Statement load(hub_.db, "SELECT source, feed, event, position, status, first_row, rows FROM inbox WHERE msg=?");
    if (!load.First(msg)) {
      return;
    }
    messages_.push_back({.msg = msg,
                         .source = hub_.names->Text("source", load.Int(0)),
                         .feed = hub_.names->Text("feed", load.Int(1)),
                         .event = load.String(2),
                         .position = static_cast<uint64_t>(load.Int(3)),
                         .outcome = NameOf(static_cast<Outcome>(load.Int(4)))});
    if (load.Int(4) == static_cast<int64_t>(Outcome::kApplied)) {
      for (const Node& row : hub_.resources->RowsOf(load.Int(5), load.Int(6))) {
        AddHit(row.key);
      }
    }
  }

  // Of the merged ids too: what was said of the loser keeps its reference.
  void AddReferrers() {
    for (const ResourceKey& hit : hits_) {
      for (const ResourceKey& member : hub_.aliases->Members(hit)) {
        for (const ResourceKey& referrer : hub_.terms->ReferrersOf(member)) {
          const ResourceKey root = hub_.aliases->Root(referrer);
          const auto state = hits_.contains(root) ? std::nullopt : hub_.CurrentState(root);
          if (state && state->find("/" + Hex(View(hit.id)) + "\"") != state->npos) {
            referrers_.insert(root);
          }
        }
      }
    }
  }

  Hub::Impl& hub_;
  std::set<ResourceKey> hits_, referrers_;
  std::vector<FoundMessage> messages_;
};

}  // namespace

Result<bool> Hub::CatchUpIndex(int64_t rows) {
  bool done = false;
  auto written = impl_->WriteAside([&] { done = impl_->terms->CatchUp(rows); });
  return written ? Result<bool>(done) : Result<bool>(written.error());
}

Result<int64_t> Hub::Find(std::ostream& out, std::string_view needle, const std::function<void(const FoundMessage&)>& message) {
  for (bool done = false; !done;) {
    auto caught_up = CatchUpIndex(kSlice);
    if (!caught_up) {
      return caught_up.error();
    }
    done = *caught_up;
  }
  const Finder found(*impl_, needle);
  std::string facts = "{\"term\":\"" + std::to_string(impl_->terms->Hash(needle)) + "\",\"messages\":" + std::to_string(found.messages().size()) +
                      ",\"resources\":" + std::to_string(found.hits().size() + found.referrers().size()) + ",\"ids\":[";
  size_t named = 0;
  for (const ResourceKey& key : found.hits()) {
    if (named++ == kAuditedIds) {
      break;
    }
    facts += (named > 1 ? ",\"" : "\"") + impl_->names->Text("type", key.type) + "/" + Hex(View(key.id)) + "\"";
  }
  if (auto audited = RecordAct("find", facts + "]}"); !audited) {
    return audited.error();
  }
  for (const FoundMessage& one : found.messages()) {
    message(one);
  }
  int64_t count = 0;
  for (const auto* keys : {&found.hits(), &found.referrers()}) {
    std::vector<std::pair<std::string, ResourceKey>> by_name;  // numbers of types follow arrival
    for (const ResourceKey& key : *keys) {
      by_name.emplace_back(impl_->names->Text("type", key.type), key);
    }
    std::ranges::sort(by_name);
    for (const auto& [type, key] : by_name) {
      auto state = impl_->CurrentState(key);
      const auto released = state ? impl_->egress.Release({.route = Route::kFind}, type, std::move(*state)) : std::nullopt;
      if (released) {
        out << *released << '\n';
        ++count;
      }
    }
  }
  return impl_->db.ok() ? Result<int64_t>(count) : Result<int64_t>(impl_->db.error());
}

Result<void> Hub::RecordAct(std::string_view what, std::string_view facts_json) {
  return impl_->WriteAside([&] { AppendAct(impl_->db, {.at_us = WallMicros(), .who = {}, .what = std::string(what), .facts = std::string(facts_json)}); });
}

Result<void> Hub::EachAct(const std::function<void(const Act&)>& visit) {
  {
    Statement all(impl_->db, "SELECT seq, at, who, what, facts FROM act ORDER BY seq");
    for (bool row = all.First(); row; row = all.Next()) {
      visit({.seq = all.Int(0), .at_us = all.Int(1), .who = all.String(2), .what = all.String(3), .facts = all.String(4)});
    }
  }
  return impl_->db.ok() ? Result<void>() : Result<void>(impl_->db.error());
}

}  // namespace weir::hub
