#include "runtime/hub/egress.h"

#include <utility>

namespace weir::hub {

std::optional<std::string> Egress::Release(const Recipient&, std::string_view, std::string state) const { return std::optional(std::move(state)); }

std::optional<std::string> Egress::ReleaseMessage(const Recipient&, std::string raw) const { return std::optional(std::move(raw)); }

}  // namespace weir::hub
