// Every way out of the hub for what resources and messages say leads through here: export, find, lineage, payloads, sinks and
// notifications. What a recipient may not have is withheld whole or in part; until policies are enforced everything passes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::hub {

enum class Route : uint8_t { kExport, kFind, kLineage, kPayload, kSink };

struct Recipient {
  Route route = Route::kExport;
  std::string_view consumer{};  // of the source's `consumer`; empty: the operator at the command line
};

class Egress {
 public:
  // The resource as the recipient may have it; nothing: it may not, nor know that there is one.
  std::optional<std::string> Release(const Recipient& to, std::string_view type, std::string state) const;
  // A raw message.
  std::optional<std::string> ReleaseMessage(const Recipient& to, std::string raw) const;
};

}  // namespace weir::hub
