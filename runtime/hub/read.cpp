// Current resources and what became of records.
#include "runtime/hub/impl.h"

namespace weir::hub {

std::optional<std::string> Hub::Impl::CurrentState(const ResourceKey& root) {
  Statement load(db,
                 "SELECT coalesce(r.folded, r.body) FROM resource_current c JOIN contribution r ON r.row=c.head "
                 "WHERE c.type=? AND c.id=? AND c.head<>0");
  if (!load.First(root.type, Blob{View(root.id)}) || load.Bytes(0).empty()) {
    return std::nullopt;
  }
  std::string state = load.String(0);
  aliases->ResolveReferences(&state);
  return state;
}

Result<int64_t> Hub::Export(std::ostream& out, std::string_view type) {
  int64_t count = 0;
  impl_->EachCurrent(type, [&](const std::string& name, const ResourceKey&, std::string state) {
    if (const auto released = impl_->egress.Release({.route = Route::kExport}, name, std::move(state))) {
      out << *released << '\n';
      ++count;
    }
  });
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  return count;
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
