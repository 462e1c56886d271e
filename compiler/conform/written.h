// What an emission writes, as FHIRPath sees it: elements under the conditions they are written
// under. Nothing runs; `Written` walks the tree that `check` built and answers with conditions over
// the source (formula.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/conform/formula.h"
#include "compiler/fhir/type_table.h"

namespace weir::conform {

// What slots of the emission stand for in a formula: a walk gives every binder it passes a new
// slot, so that two walks over one `each` speak of two items, and puts paths in the place of the
// slots they are bound to.
struct Frame {
  int64_t base = 0;  // added to slots of a function's body
  std::map<int64_t, ir::Node*> bound;
};

// One element, or one System value, under its steps.
struct Piece {
  Steps steps;
  const ir::Node* leaf = nullptr;  // object, primitive, json or reference
  std::shared_ptr<const Frame> frame;
  ir::Node* value = nullptr;  // a System value instead of a leaf
  std::string type;           // "HumanName", "Patient.contact", "code"; "System.String"
  bool certain = false;       // known to be there
};
using Pieces = std::vector<Piece>;

class Written {
 public:
  Written(ir::Module& module, const fhir::TypeTable& types, int64_t* const& slots)
      : module_(module), types_(types), f_(module, slots) {}

  // Everything `emission` may write, each a `type` ("Patient", "HumanName", "Patient.contact").
  Pieces Of(const ir::Node* emission, const std::string& type);
  // The elements `name` below a piece, a choice by its base name.
  Pieces Child(const Piece& piece, const std::string& name);
  // Whether the piece is written, its steps taken as passed.
  Formula There(const Piece& piece);
  // When what was asked for since the last call would have met a refusal that rejects the record:
  // nothing is written then, whatever the answers said.
  Formula TakeRejected() { return std::exchange(rejected_, Never()); }
  void Reject(Formula when) { rejected_ = f_.Or(rejected_, when); }
  // The same under its steps; what holds of it in some case, and in every case.
  Formula Exists(const Piece& piece);
  Formula Some(const Piece& piece, Formula inner);
  Formula Every(const Piece& piece, Formula inner);
  // The System value of a primitive element, as a node over the source; null: it has none that can
  // be said so.
  ir::Node* Value(const Piece& piece);
  Formula Wrote(const ir::Node* emission, const Frame& frame);
  Formulas& formulas() { return f_; }
  const fhir::TypeTable& types() const { return types_; }
  const ir::Module& module() const { return module_; }

 private:
  struct Member {  // of a type: what a JSON name means
    std::string element, type;
  };
  const Member& MemberOf(const std::string& type, const std::string& json);
  void Leaves(const ir::Node* node, Steps steps, std::shared_ptr<const Frame> frame,
              const std::string& type, Pieces* out);
  void Members(const ir::Node* node, Steps steps, std::shared_ptr<const Frame> frame,
               const std::string& owner, const std::string& name, Pieces* out);
  template <typename Visit>
  bool Control(const ir::Node* node, Steps& steps, std::shared_ptr<const Frame>& frame,
               const Visit& visit);
  ir::Node* Renamed(const ir::Node* node, const Frame& frame);

  ir::Module& module_;
  const fhir::TypeTable& types_;
  Formulas f_;
  Formula rejected_ = Never();
  std::map<std::pair<std::string, std::string>, Member> members_;
};

}  // namespace weir::conform
