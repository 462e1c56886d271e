// A FHIRPath expression in the interpreter and in native code, over the same resource.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/fhir/tape_types.h"
#include "compiler/fhir/v2_table.h"
#include "compiler/ir/interp/type_model.h"
#include "compiler/jit/expressions.h"
#include "compiler/syntax/ast.h"

namespace weir::fhirpath_suite {

struct Input {
  ir::Json json;
  tape::Document document;
  std::string type;
};

// Answers are texts: each item as its type and its text, or "error".
class BothEngines {
 public:
  BothEngines();

  Result<std::unique_ptr<Input>> ReadInput(const std::string& json) const;
  // Through the checker; null: it does not parse or is refused.
  ir::Node* Check(const std::string& expression, const Input* input, ir::Module& module, int64_t* slots) const;
  // Name by name, unchecked: what is ill-typed becomes an error when it runs. Null: not even a tree.
  ir::Node* Translate(const std::string& expression, const Input* input, ir::Module& module, int64_t* slots) const;
  Result<std::unique_ptr<jit::Expressions>> Compile(const ir::Module& module, const std::vector<lower::Expression>& expressions, bool optimize) const;

  std::string Interpret(const ir::Module& module, const lower::Expression& expression, const Input* input) const;
  std::string Execute(weir_expression_fn expression, const Input* input);

 private:
  std::unique_ptr<fhir::TypeTable> table_;
  std::unique_ptr<fhir::V2Table> v2_;
  ir::RegistryTypes types_;
  fhir::TapeTypes tape_types_;
  std::vector<uint8_t> bytes_, scratch_;
};

}  // namespace weir::fhirpath_suite
