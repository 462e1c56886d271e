// FHIR's shapes as the checker asks for them. Definitions are read lazily from contracts/registry/*.defs, so that a
// start pays only for the types a source names. Pointers live as long as the table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/result.h"

namespace weir::fhir {

inline constexpr uint32_t kUnbounded = 0xFFFFFFFF;

struct TypeRef {
  std::string code;                          // "HumanName", "Reference", "string"
  std::vector<std::string> target_profiles;  // "Patient", for Reference and canonical
  std::vector<std::string> profiles;         // canonical URLs
};

struct Binding {
  bool required = false;                     // else extensible
  std::string value_set;                     // canonical URL without version
};

struct Element {
  std::string path;                          // "Patient.contact.name", "Observation.value[x]"
  std::string name;                          // last step without [x]: "name", "value"
  std::string slice;                         // slice name; empty for the element itself
  uint32_t min = 0, max = 1;
  uint32_t order = 0;                        // StructureDefinition order within its definition
  bool choice = false;                       // [x]
  bool is_modifier = false, must_support = false, is_summary = false;
  std::vector<TypeRef> types;
  std::string content_reference;             // path of the element whose content it shares
  Binding binding;                           // value_set empty: none
  std::string fixed, pattern;                // canonical JSON; empty: none
  std::string slicing;                       // canonical JSON of rules and discriminators; empty: not sliced
  std::vector<std::string> constraints;      // invariant keys
};

struct TypeDef {
  std::string id;                            // "Patient", "us-core-patient"
  std::string url, type, base, kind;         // kind: primitive-type, complex-type, resource
  bool abstract = false;
  bool profile = false;                      // derivation = constraint
  std::vector<Element> elements;             // the first is the root

  const Element& root() const { return elements.front(); }
};

struct Invariant {
  std::string expression;
  bool error = true;                         // else warning
};

using Codes = std::map<std::string, std::vector<std::string>>;  // by system, sorted

class TypeTable {
 public:
  // `packages`: names of .defs files in `directory`, e.g. {"fhir-r4", "us-core-6.1.0"}.
  static Result<std::unique_ptr<TypeTable>> Load(const std::string& directory, const std::vector<std::string>& packages);
  ~TypeTable();

  // By id or canonical URL; null when unknown.
  const TypeDef* FindType(std::string_view name) const;

  // The element `name` directly below `path` ("Patient", "Patient.contact", "HumanName"); follows content references and
  // steps into data types. For a choice: the base name, or the name with its type ("valueQuantity").
  struct Found {
    const Element* element = nullptr;
    const TypeDef* owner = nullptr;
    const TypeRef* chosen = nullptr;         // the type a choice's expanded name picks
    explicit operator bool() const { return element != nullptr; }
  };
  Found FindElement(std::string_view path, std::string_view name) const;
  // In StructureDefinition order; a backbone path or a type name.
  std::vector<const Element*> Children(std::string_view path) const;
  // Elements of a profile at this path, the unsliced one first.
  std::vector<const Element*> ProfileElements(const TypeDef& profile, std::string_view path) const;

  // Where the children of an element live: its data type's name, or its own path for a backbone.
  std::string ContentPath(const Element& element, const TypeDef& owner, const TypeRef* chosen = nullptr) const;

  bool IsPrimitive(std::string_view type) const;
  bool IsResource(std::string_view type) const;
  bool IsSubtype(std::string_view type, std::string_view base) const;

  // Null: the set cannot be enumerated from the registry.
  const Codes* FindValueSet(std::string_view url) const;
  const Invariant* FindInvariant(std::string_view key) const;

  std::vector<std::string> TypeNames() const;
  // "valueQuantity" for element `value`, type `Quantity`.
  static std::string ChoiceName(std::string_view element, std::string_view type);

 private:
  TypeTable() = default;
  struct Line {
    std::string_view text;
  };
  std::vector<std::string> files_;
  std::unordered_map<std::string_view, Line> lines_;
  mutable std::unordered_map<std::string, std::unique_ptr<TypeDef>> types_;
  mutable std::unordered_map<std::string, std::unique_ptr<Codes>> value_sets_;
  mutable std::unordered_map<std::string, std::unique_ptr<Invariant>> invariants_;
  std::unordered_map<std::string_view, std::string_view> by_url_;  // canonical URL -> id
};

}  // namespace weir::fhir
