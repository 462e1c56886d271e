// What a kernel says of itself (weir_kernel::manifest_json), as the hub and the ingest need it:
// names for ordinals.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/fold/fold.h"

namespace weir::hub {

struct FeedInfo {
  std::string name, version;
  int64_t late_seconds = -1;    // `late after`; -1: nothing is called late
  int64_t future_seconds = -1;  // `future after`; -1: no bound
  std::vector<std::string> accept{};      // "ADT^A01", "ADT^*"; empty: the kernel does not say
  std::vector<std::string> processing{};  // empty: any
  bool acknowledge_errors = false;        // senders are told of dead letters
};

struct MapInfo {
  std::string name;
  std::string type;      // resource type
  std::string identity;  // top-level member whose reference owns the key (Encounter `subject`) when
                         // the keyspace is not `within` the owner's; empty: no claim
};

struct SiteInfo {
  std::string error_class, code, path;
};

struct TypeInfo {
  std::string name;
  fold::ElementOrder order;
};

struct Manifest {
  std::string package;
  std::string semantic_digest;
  std::vector<FeedInfo> feeds;
  std::vector<MapInfo> maps;
  std::vector<TypeInfo> types;
  std::vector<SiteInfo> sites;
  std::string json;  // as given, for the archive
};

Result<Manifest> ParseManifest(std::string_view json);

}  // namespace weir::hub
