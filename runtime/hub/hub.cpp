#include "runtime/hub/hub.h"

#include <algorithm>

#include "runtime/hub/impl.h"
#include "runtime/hub/inbox.h"

namespace weir::hub {

Result<void> Hub::Impl::Start() {
  inbox.reset();  // each uses those made before it
  outcomes.reset();
  letters.reset();
  terms.reset();
  audit.reset();
  claims.reset();
  aliases.reset();
  kin.reset();
  resources.reset();
  counters.reset();
  seen_version = db.Number("PRAGMA data_version");
  names = std::make_unique<Names>(db);
  counters = std::make_unique<Counters>(db, *names);
  resources = std::make_unique<Resources>(db, *names);
  kin = std::make_unique<Kin>(db, namespace_key);
  aliases = std::make_unique<Aliases>(db, *names, *resources, *kin);
  claims = std::make_unique<Claims>(db, *aliases);
  audit = std::make_unique<AuditTrail>(db);
  terms = std::make_unique<Terms>(db);
  letters = std::make_unique<Letters>(db, *terms);
  outcomes = std::make_unique<Outcomes>(*this);
  inbox = std::make_unique<Inbox>(*this);
  outcomes->BeginRun(inbox->next_msg());
  if (!db.ok()) {
    return db.error();
  }
  // Element orders of the archived kernels, the newest last, so that verify needs no source.
  Statement kernels(db, "SELECT n, manifest FROM kernel ORDER BY n");
  for (bool row = kernels.First(); row; row = kernels.Next()) {
    const auto manifest = ParseManifest(kernels.Bytes(1));
    if (!manifest) {
      return Error{"an archived kernel's manifest cannot be read"};
    }
    packages[kernels.Int(0)] = manifest->package;
    for (const TypeInfo& type : manifest->types) {
      const auto& known = names->All("type");
      const auto found = std::ranges::find(known, type.name);
      if (found != known.end()) {
        resources->SetOrder(found - known.begin(), type.order);
      }
    }
  }
  return db.ok() ? Result<void>() : Result<void>(db.error());
}

Result<void> Hub::Impl::Reload() {
  const Manifest* manifest = inbox->manifest();
  const int64_t run_first_msg = outcomes->run_first_msg();
  const auto before = std::move(counters);
  if (auto started = Start(); !started) {
    return started;
  }
  counters->GoOnRun(*before);
  outcomes->BeginRun(run_first_msg);
  return manifest == nullptr ? Result<void>() : inbox->Bind(*manifest, {}, /*archive=*/false);
}

std::vector<std::pair<std::string, int64_t>> Hub::Impl::TypesByName() const {
  std::vector<std::pair<std::string, int64_t>> types;
  const auto& all = names->All("type");
  for (size_t n = 0; n < all.size(); ++n) {
    types.emplace_back(all[n], static_cast<int64_t>(n));
  }
  std::ranges::sort(types);
  return types;
}

Hub::Hub(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hub::~Hub() = default;

Result<std::unique_ptr<Hub>> Hub::Open(const HubOptions& options) {
  if (sodium_init() < 0) {
    return Error{"libsodium cannot start"};
  }
  auto impl = std::make_unique<Impl>();
  impl->read_only = options.read_only;
  if (auto opened = OpenStore(options, &impl->lock, &impl->db); !opened) {
    return opened.error();
  }
  if (auto started = impl->Start(); !started) {
    return started.error();
  }
  return std::unique_ptr<Hub>(new Hub(std::move(impl)));
}

Result<void> Hub::Bind(const Manifest& manifest, std::span<const uint8_t, 16> namespace_key,
                       std::string_view namespace_name, std::string_view artifact) {
  if (impl_->read_only) {
    return Error{"the hub is open for reading"};
  }
  // The key itself is not stored: ids could be guessed with it.
  const std::string_view key(reinterpret_cast<const char*>(namespace_key.data()),
                             namespace_key.size());
  const Digest32 check = Hasher<32>().Add("namespace").Add(namespace_name).Add(key).Finish();
  Database& db = impl_->db;
  {
    Statement load(db, "SELECT value FROM meta WHERE name='namespace'");
    if (load.First()) {
      if (load.Bytes(0) != View(check)) {
        return Error{"the hub belongs to another namespace or namespace key"};
      }
    } else {
      Statement(db, "INSERT INTO meta VALUES('namespace', ?)").Run(Blob{View(check)});
    }
  }
  std::ranges::copy(namespace_key, impl_->namespace_key.emplace().begin());
  return impl_->inbox->Bind(manifest, artifact);
}

Result<void> Hub::Impl::Transact(const std::function<void()>& write) {
  if (inbox->manifest() == nullptr) {
    return Error{"no kernel is bound to the hub"};
  }
  if (!db.ok()) {
    return db.error();
  }
  db.Exec("BEGIN IMMEDIATE");
  write();
  inbox->Save();
  db.Exec("COMMIT");
  if (db.ok()) {
    return {};
  }
  sqlite3_exec(db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  return db.error();
}

Result<void> Hub::Impl::WriteAside(const std::function<void()>& write) {
  if (!db.ok()) {
    return db.error();
  }
  if (read_only) {
    db.Exec("PRAGMA query_only=OFF");
  }
  db.Exec("BEGIN IMMEDIATE");
  write();
  db.Exec("COMMIT");
  if (!db.ok()) {
    sqlite3_exec(db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    return db.error();
  }
  if (read_only) {
    db.Exec("PRAGMA query_only=ON");
  }
  return {};
}

Result<void> Hub::Apply(std::span<const Record> batch, int64_t now_us) {
  impl_->batch_first_msg = impl_->inbox->next_msg();
  return impl_->Transact([&] {
    for (size_t i = 0; i < batch.size() && impl_->db.ok(); ++i) {
      impl_->inbox->Take(batch[i], now_us);
    }
  });
}

Result<bool> Hub::Yield() {
  auto lent = impl_->lock.Yield();
  if (!lent) {
    impl_->db.Fail(lent.error().message);
    return lent.error();
  }
  if (*lent && impl_->db.Number("PRAGMA data_version") != impl_->seen_version) {
    if (auto loaded = impl_->Reload(); !loaded) {
      return loaded.error();
    }
  }
  return *lent;
}

bool Hub::IsDuplicate(const Record& record) { return impl_->inbox->IsDuplicate(record); }

void Hub::BeginRun() {
  impl_->counters->BeginRun();
  impl_->outcomes->BeginRun(impl_->inbox->next_msg());
}

Ledger Hub::RunLedger() const { return impl_->counters->Run(); }

Result<Ledger> Hub::ReadLedger() {
  if (!impl_->read_only) {
    return impl_->counters->Total();
  }
  Counters fresh(impl_->db, *impl_->names);
  return impl_->db.ok() ? Result<Ledger>(fresh.Total()) : Result<Ledger>(impl_->db.error());
}

}  // namespace weir::hub
