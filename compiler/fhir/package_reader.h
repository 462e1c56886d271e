#pragma once

#include <functional>
#include <string>

#include "runtime/base/result.h"

namespace weir::fhir {

// Calls `use(name, text)` for every regular file below `package/` whose name passes `want`, in the archive's order.
Result<void> ReadPackage(const std::string& path, const std::function<bool(const std::string&)>& want,
                         const std::function<void(const std::string&, std::string)>& use);

}  // namespace weir::fhir
