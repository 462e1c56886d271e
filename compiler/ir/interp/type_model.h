// fhir::TypeTable as the interpreter asks for types.
#pragma once

#include "compiler/fhir/type_table.h"
#include "compiler/ir/interp/interp.h"

namespace weir::ir {

class RegistryTypes final : public TypeModel {
 public:
  explicit RegistryTypes(const fhir::TypeTable& table) : table_(table) {}

  Child ChildOf(std::string_view type, std::string_view member) const override;
  bool IsSubtype(std::string_view type, std::string_view base) const override;
  bool IsPrimitive(std::string_view type) const override;
  bool Exists(std::string_view type) const override;

 private:
  const fhir::TypeTable& table_;
};

}  // namespace weir::ir
