// FHIR packages (.tgz) -> the compact registry: what the checker needs of each definition, canonical, one line each.
// The committed contracts/registry is this function's output; scripts/registry compares every byte.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace weir::fhir {

struct ImportOptions {
  std::vector<std::string> packages;   // earlier ones win for a canonical URL that several define
  std::string output;                  // folder
  std::string name;                    // NAME.defs is written, "fhir-r4", "us-core-6.1.0"
  // Only value sets bound as required or extensible are kept, with their codes where they can be enumerated.
  std::vector<std::string> only_value_sets;  // of the last package: just these, with its code systems (US Core 3.1.1's race sets)
};

struct ImportReport {
  size_t definitions = 0, elements = 0, invariants = 0, value_sets = 0, codes = 0;
  std::vector<std::string> not_enumerable;  // bound value sets whose codes no package lists
};

struct PackageIdentity {
  std::string name, version;  // "hl7.fhir.us.core", "6.1.0"
};
Result<PackageIdentity> IdentifyPackage(const std::string& path);
std::string RegistryName(const PackageIdentity& package);  // "us-core-6.1.0"

// Definitions come from the first package, codes from all. Nothing is written when a package is damaged or has no definition.
Result<ImportReport> Import(const ImportOptions& options);

}  // namespace weir::fhir
