#include "compiler/conform/rules.h"

#include <algorithm>
#include <set>

#include "compiler/conform/fhirpath.h"
#include "compiler/conform/profile_reader.h"
#include "compiler/syntax/parse.h"

namespace weir::conform {

bool RuleBook::ByConstruction(std::string_view key) {
  // What holds nothing is not written (docs/ir.md, Emission), so whatever is written has a value or
  // children.
  return key == "ele-1";
}

namespace {

// As published, ref-1 is empty of a reference with only a display, which is none of its concern (R5
// says so), and looks among contained resources, which no map writes.
std::string_view Restated(std::string_view key) {
  return key == "ref-1" ? "reference.empty() or reference.startsWith('#').not()" : "";
}

}  // namespace

const ast::Expr* RuleBook::Keep(ast::ExprPtr expr) {
  kept_.push_back(std::move(expr));
  return kept_.back().get();
}

const ast::Expr* RuleBook::Invariant(const std::string& key) {
  auto [known, fresh] = invariants_.try_emplace(key, nullptr);
  if (fresh) {
    const fhir::Invariant* invariant = types_.FindInvariant(key);
    if (invariant != nullptr && invariant->error) {
      SourceFiles files;
      DiagnosticSink sink;
      std::string text = Restated(key).empty() ? invariant->expression : std::string(Restated(key));
      ast::ExprPtr expr = syntax::ParseFhirPath(files, files.Add(key, text), {}, sink);
      known->second =
          Keep(expr != nullptr ? std::move(expr) : fhirpath::Make(ast::ExprKind::kError));
    }
  }
  return known->second;
}

std::string RuleBook::SaysOf(const std::string& key) const {
  return "it says `" + types_.FindInvariant(key)->expression + "`";
}

void RuleBook::AddInvariants(const std::vector<std::string>& keys, const std::string& element,
                             std::vector<Rule>* out) {
  for (const std::string& key : keys) {
    const ast::Expr* condition = ByConstruction(key) ? nullptr : Invariant(key);
    if (condition != nullptr) {
      out->push_back({.key = key.substr(0, key.find('@')),
                      .element = element,
                      .says = SaysOf(key),
                      .condition = condition,
                      .invariant = true,
                      .required = false});
    }
  }
}

const std::vector<Rule>& RuleBook::OfContent(const std::string& content) {
  auto [known, fresh] = rules_.try_emplace("content " + content);
  const fhir::TypeDef* type =
      fresh ? types_.FindType(content.substr(0, content.find('.'))) : nullptr;
  if (type != nullptr) {
    for (const fhir::Element& element : type->elements) {
      if (element.path == content) {
        AddInvariants(element.constraints, content, &known->second);
        break;
      }
    }
  }
  return known->second;
}

const std::vector<Rule>& RuleBook::OfElement(const fhir::Element& element,
                                             const std::string& type) {
  auto [known, fresh] = element_rules_.try_emplace({&element, type});
  if (!fresh) {
    return known->second;
  }
  std::vector<Rule>& rules = known->second;
  const fhir::TypeDef* own = types_.FindType(type);
  if (own == nullptr || type == "BackboneElement" || type == "Element") {
    return rules;  // its content is its own, and so are its rules
  }
  std::vector<std::string> more;
  for (const std::string& key : element.constraints) {
    const auto& inherent = own->root().constraints;
    if (std::find(inherent.begin(), inherent.end(), key) == inherent.end()) {
      more.push_back(key);
    }
  }
  AddInvariants(more, element.path, &rules);
  bool coded = type == "CodeableConcept" || type == "Coding" || type == "Quantity";
  if (coded && element.binding.required &&
      types_.FindValueSet(element.binding.value_set) != nullptr) {
    rules.push_back({.key = "value set",
                     .element = element.path,
                     .says = "the value set is " + element.binding.value_set,
                     .condition = Keep(fhirpath::Call(fhirpath::This(), "memberOf",
                                                      fhirpath::String(element.binding.value_set))),
                     .invariant = false,
                     .required = false});
  }
  for (const fhir::TypeRef& option : element.types) {
    for (const std::string& url : option.profiles) {
      const fhir::TypeDef* profile =
          option.code == type && type != "Extension" ? types_.FindType(url) : nullptr;
      if (profile != nullptr) {
        for (Rule rule : OfProfile(*profile)) {
          rule.element = element.path +
                         rule.element.substr(std::min(rule.element.size(), rule.element.find('.')));
          rules.push_back(std::move(rule));
        }
      }
    }
  }
  return rules;
}

const std::vector<Rule>& RuleBook::OfProfile(const fhir::TypeDef& profile) {
  auto [known, fresh] = rules_.try_emplace("profile " + profile.url);
  if (fresh) {
    known->second = ProfileReader(*this, types_).Read(profile);
  }
  return known->second;
}

}  // namespace weir::conform
