// Which v2 fields HL7's v2-to-FHIR guide maps to an element: contracts/registry/v2-to-fhir.rows,
// read backwards.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::fhir {

class GuideSources {
 public:
  // `rows`: the text of the file; its form is described at the head of extract_v2_to_fhir.py.
  explicit GuideSources(std::string_view rows);
  // "Patient", "address.period" -> {"PID-11.12"}; in the guide's order.
  std::vector<std::string> Of(std::string_view type, std::string_view path) const;

 private:
  struct Row {
    std::string source, target;  // the target without indices
    std::vector<std::string> calls;
  };
  std::map<std::string, std::vector<Row>, std::less<>> segments_;    // by resource type
  std::map<std::string, std::vector<Row>, std::less<>> data_types_;  // by sheet
};

}  // namespace weir::fhir
