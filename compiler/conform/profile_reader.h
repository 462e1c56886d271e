// A profile's snapshot beside its base type: every difference as a FHIRPath condition about the
// profiled element.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/conform/rules.h"

namespace weir::conform {

class ProfileReader {
 public:
  ProfileReader(RuleBook& book, const fhir::TypeTable& types) : book_(book), types_(types) {}
  std::vector<Rule> Read(const fhir::TypeDef& profile);

 private:
  struct Node {  // the flat snapshot as the tree it stands for
    const fhir::Element* element = nullptr;
    std::vector<Node> children, slices;
  };
  using Collection =
      std::function<ast::ExprPtr()>;  // the elements spoken of, from the element around
  using Around =
      std::function<ast::ExprPtr(ast::ExprPtr)>;  // a condition on that element as one on the whole

  static Node Build(const std::vector<fhir::Element>& elements, size_t* at);
  void Walk(const Node& node, const std::string& content, const std::string& shown,
            const Around& around);
  void Constrain(const Node& node, const fhir::Element& base, bool slice,
                 const std::string& content, const std::string& shown, const Collection& collection,
                 const Around& around);
  void Slices(const Node& node, const fhir::Element& base, const std::string& content,
              const std::string& shown, const Around& around);
  void Types(const fhir::Element& element, const fhir::Element& base, const std::string& shown,
             const Collection& collection, const Around& around);
  // Null when the discriminator is none of those that can be said in FHIRPath over what is written.
  ast::ExprPtr Belongs(const Node& sliced, const Node& slice);
  ast::ExprPtr Discriminates(const std::string& type, const std::string& path, const Node& slice);
  void Add(const std::string& key, const std::string& shown, const std::string& says,
           ast::ExprPtr condition, bool invariant = false, bool required = false);

  RuleBook& book_;
  const fhir::TypeTable& types_;
  std::vector<Rule> rules_;
};

}  // namespace weir::conform
