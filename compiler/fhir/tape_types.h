// The registry's definitions as the tape reader asks for them.
#pragma once

#include "compiler/fhir/type_table.h"
#include "runtime/fhir/reader.h"

namespace weir::fhir {

class TapeTypes final : public tape::TypeSource {
 public:
  explicit TapeTypes(const TypeTable& table) : table_(table) {}

  Member MemberOf(const std::string& type, const std::string& member) const override;
  std::string BaseOf(const std::string& type) const override;

 private:
  const TypeTable& table_;
};

}  // namespace weir::fhir
