// What FHIR demands of an element beyond its type, each as one FHIRPath condition about that
// element: invariants of error severity, and what a profile adds (required and forbidden elements,
// fixed and pattern values, slices, types, required value sets). check/ judges them over what maps
// write.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/fhir/type_table.h"
#include "compiler/syntax/ast.h"

namespace weir::conform {

struct Rule {
  std::string key;      // "per-1"; of a profile: "required", "at most 1", "pattern", "slice `NPI`",
                        // "value set", …
  std::string element;  // "Patient.name": what it is about, as in the standard
  std::string
      says;  // what it demands, for the author: the invariant's expression, the value set, …
  const ast::Expr* condition = nullptr;
  bool invariant = false;
  bool required = false;  // only that the element is there
};

class RuleBook {
 public:
  explicit RuleBook(const fhir::TypeTable& types) : types_(types) {}

  // Of each element of this content ("Period", "Patient.contact", "Condition").
  const std::vector<Rule>& OfContent(const std::string& content);
  // That the element at this place has beside those of its type: Organization.telecom may not be
  // `home`, a Range's low is a SimpleQuantity, a CodeableConcept's value set. `type`: the one
  // written, of a choice.
  const std::vector<Rule>& OfElement(const fhir::Element& element, const std::string& type);
  // What a profile demands beyond its base type; of an extension's definition too.
  const std::vector<Rule>& OfProfile(const fhir::TypeDef& profile);
  // Invariants that every element keeps by the way it is written: ele-1.
  static bool ByConstruction(std::string_view key);

 private:
  void AddInvariants(const std::vector<std::string>& keys, const std::string& element,
                     std::vector<Rule>* out);
  const ast::Expr* Invariant(const std::string& key);
  std::string SaysOf(const std::string& key) const;
  const ast::Expr* Keep(ast::ExprPtr expr);
  friend class ProfileReader;

  const fhir::TypeTable& types_;
  std::map<std::string, std::vector<Rule>> rules_;
  std::map<std::pair<const fhir::Element*, std::string>, std::vector<Rule>>
      element_rules_;                                   // of a profile its own elements
  std::map<std::string, const ast::Expr*> invariants_;  // null: a warning, or none of that name
  std::vector<ast::ExprPtr> kept_;
};

}  // namespace weir::conform
