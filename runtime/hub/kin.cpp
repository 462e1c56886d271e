#include "runtime/hub/kin.h"

namespace weir::hub {

Kin::Kin(Database& db, const std::optional<NamespaceKey>& namespace_key)
    : db_(db),
      namespace_key_(namespace_key),
      add_(db, "INSERT INTO kin VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING"),
      children_(db, "SELECT type, id, own FROM kin WHERE parent=? AND parent_type=?") {}

bool Kin::Add(const ResourceKey& parent, const Child& child) {
  add_.Run(Blob{View(parent.id)}, child.key.type, Blob{View(child.key.id)}, parent.type,
           Blob{View(child.own)});
  return sqlite3_changes(db_.handle()) > 0;
}

std::vector<Child> Kin::ChildrenOf(const ResourceKey& parent) {
  std::vector<Child> children;
  for (bool row = children_.First(Blob{View(parent.id)}, parent.type); row;
       row = children_.Next()) {
    Child& child = children.emplace_back();
    child.key = {children_.Int(0), AsId(children_.Bytes(1))};
    child.own = AsId(children_.Bytes(2));
  }
  return children;
}

Digest16 Kin::Within(const Digest16& parent, const Digest16& own) {
  if (!CanDerive()) {
    db_.Fail("ids of keys within others are derived by a hub that is bound to a kernel only");
    return {};
  }
  std::string list;
  for (const Digest16& part : {parent, own}) {
    list.append("\x10\0\0\0", 4).append(View(part));
  }
  Digest16 id;
  crypto_shorthash_siphashx24(id.data(), reinterpret_cast<const uint8_t*>(list.data()), list.size(),
                              namespace_key_->data());
  return id;
}

}  // namespace weir::hub
