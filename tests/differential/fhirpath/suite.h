// The official FHIRPath suite for R4, as read from its XML file.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace weir::fhirpath_suite {

struct Case {
  std::string group, name, expression, input;  // input: file name, empty for none
  std::string invalid;                         // syntax | semantic | execution; empty: valid
  bool strict = false, predicate = false, ordered = true;
  struct Output {
    std::string type, text;
  };
  std::vector<Output> outputs;
};

Result<std::vector<Case>> ReadSuite(const std::string& xml_file);

}  // namespace weir::fhirpath_suite
