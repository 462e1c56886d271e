// The standard's rules about a resource that is written, evaluated by the interpreter: every
// error-level invariant at every element, and conditions of a profile.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/type_model.h"
#include "compiler/syntax/ast.h"

namespace weir::fhirpath_suite {

class InvariantChecker {
 public:
  // `empty_holds`: an answer that is neither true nor false counts as true; else only ref-1's does,
  // which asks nothing of a reference without `reference`.
  InvariantChecker(const fhir::TypeTable& table, bool empty_holds);

  void CheckResource(const ir::Json& root, const std::string& name);
  // Whether a condition about the whole resource is true; nothing: it cannot be evaluated here.
  std::optional<bool> Holds(const ast::Expr& condition, const ir::Json& root);

  size_t evaluated = 0;
  std::map<std::string, std::set<std::string>> wrong;  // invariant and answer -> names

 private:
  struct Compiled {
    const fhir::Invariant* invariant = nullptr;
    ir::Node* node = nullptr;
    int64_t slots = 0;
  };

  void Walk(const ir::Item& item, const std::string& type);
  void CheckAll(const std::vector<std::string>& keys, const ir::Item& item,
                const std::string& path);
  const Compiled& Compile(const std::string& key);
  std::optional<bool> Evaluate(const Compiled& compiled, const ir::Item& item,
                               std::string* failure);

  const fhir::TypeTable& table_;
  bool empty_holds_;
  ir::RegistryTypes types_;
  ir::EvalOptions options_;
  ir::Module module_;
  SourceFiles files_;
  std::map<std::string, Compiled> compiled_;
  std::map<const ast::Expr*, Compiled> conditions_;
  std::string file_;
  const ir::Json* root_ = nullptr;
};

}  // namespace weir::fhirpath_suite
