// Keys `within` others (docs/decisions/2026-11-28-ids-within.md): whose child an id is, and what the same thing is
// called under another parent. Rows are arithmetic: once said they hold for ever, so nothing ever removes one.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "runtime/hub/resources.h"

namespace weir::hub {

struct Child {
  ResourceKey key;
  Digest16 own{};
};

class Kin {
 public:
  using NamespaceKey = std::array<uint8_t, 16>;
  // The key is known once the hub is bound; only then ids can be derived.
  Kin(Database& db, const std::optional<NamespaceKey>& namespace_key);

  bool Add(const ResourceKey& parent, const Child& child);  // whether it is new
  std::vector<Child> ChildrenOf(const ResourceKey& parent);
  // The id of the same thing within another parent.
  Digest16 Within(const Digest16& parent, const Digest16& own);
  bool CanDerive() const { return namespace_key_.has_value(); }

 private:
  Database& db_;
  const std::optional<NamespaceKey>& namespace_key_;
  Statement add_, children_;
};

}  // namespace weir::hub
