#include "tests/differential/fhirpath/invariants.h"

#include "compiler/syntax/parse.h"
#include "tests/differential/fhirpath/untyped.h"

namespace weir::fhirpath_suite {

InvariantChecker::InvariantChecker(const fhir::TypeTable& table, bool empty_holds)
    : table_(table), empty_holds_(empty_holds), types_(table) {
  options_.types = &types_;
}

void InvariantChecker::CheckResource(const ir::Json& root, const std::string& name) {
  const ir::Json* type = root.Find("resourceType");
  if (type == nullptr || table_.FindType(type->text) == nullptr) {
    return;
  }
  file_ = name;
  root_ = &root;
  ir::Item item{ir::FhirNode{&root, nullptr, type->text}};
  CheckAll(table_.FindType(type->text)->root().constraints, item, type->text);
  Walk(item, type->text);
}

void InvariantChecker::Walk(const ir::Item& item, const std::string& type) {
  const ir::FhirNode* node = item.As<ir::FhirNode>();
  if (node->value == nullptr || node->value->kind != ir::Json::Kind::kObject) {
    return;
  }
  ir::Evaluator eval(module_, options_);
  for (const auto& [member, value] : node->value->members) {
    fhir::TypeTable::Found found = table_.FindElement(type, member);
    if (!found) {
      continue;  // resourceType and `_name` siblings
    }
    if (found.element->name == "resource" && type == "Bundle.entry") {
      const ir::Json* outer = root_;
      CheckResource(value, file_);
      root_ = outer;
      continue;
    }
    for (const ir::Item& child : eval.Child(item, found.element->name)) {
      std::string child_type = child.As<ir::FhirNode>()->type;
      std::set<std::string> keys(found.element->constraints.begin(),
                                 found.element->constraints.end());
      if (const fhir::TypeDef* def = table_.FindType(child_type)) {
        keys.insert(def->root().constraints.begin(), def->root().constraints.end());
      }
      CheckAll({keys.begin(), keys.end()}, child, found.element->path);
      Walk(child, child_type);
    }
  }
}

std::optional<bool> InvariantChecker::Evaluate(const Compiled& compiled, const ir::Item& item,
                                               std::string* failure) {
  ir::Evaluator eval(module_, options_);
  eval.SetRoot(root_);
  eval.EnterFrame(compiled.slots);
  eval.SetSlot(0, ir::One(item));
  auto answer = eval.SingleBoolean(eval.Eval(*compiled.node));
  ++evaluated;
  if (eval.failed()) {
    *failure = eval.failure().message;
  }
  return answer;
}

void InvariantChecker::CheckAll(const std::vector<std::string>& keys, const ir::Item& item,
                                const std::string& path) {
  for (const std::string& key : keys) {
    const Compiled& compiled = Compile(key);
    if (compiled.node == nullptr || !compiled.invariant->error) {
      continue;
    }
    std::string failure;
    auto answer = Evaluate(compiled, item, &failure);
    if (!failure.empty()) {
      wrong[key + " at " + path + ": " + failure].insert(file_);
    } else if (!answer.value_or(empty_holds_ || key == "ref-1")) {
      wrong[key + " at " + path + (answer ? ": false" : ": empty")].insert(file_);
    }
  }
}

std::optional<bool> InvariantChecker::Holds(const ast::Expr& condition, const ir::Json& root) {
  auto [found, fresh] = conditions_.try_emplace(&condition);
  if (fresh) {
    auto node = LowerInvariant(condition, types_, module_, &found->second.slots);
    found->second.node = node.ok() ? *node : nullptr;
  }
  const ir::Json* type = root.Find("resourceType");
  if (found->second.node == nullptr || type == nullptr) {
    return std::nullopt;
  }
  root_ = &root;
  std::string failure;
  auto answer =
      Evaluate(found->second, ir::Item{ir::FhirNode{&root, nullptr, type->text}}, &failure);
  return failure.empty() ? std::optional(answer.value_or(false)) : std::nullopt;
}

const InvariantChecker::Compiled& InvariantChecker::Compile(const std::string& key) {
  auto [found, fresh] = compiled_.try_emplace(key);
  if (fresh) {
    found->second.invariant = table_.FindInvariant(key);
    DiagnosticSink sink;
    ast::ExprPtr expression;
    if (found->second.invariant != nullptr) {
      FileId file = files_.Add(key, found->second.invariant->expression);
      expression = syntax::ParseFhirPath(files_, file, {}, sink);
    }
    if (expression != nullptr) {
      auto node = LowerInvariant(*expression, types_, module_, &found->second.slots);
      found->second.node = node.ok() ? *node : nullptr;
    }
    if (found->second.node == nullptr) {
      wrong[key + " cannot be evaluated"].insert(file_);
    }
  }
  return found->second;
}

}  // namespace weir::fhirpath_suite
