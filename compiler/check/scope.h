// What an expression can see: the record, the names bound around it and the declarations of the program.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/diagnostic.h"
#include "compiler/fhir/type_table.h"
#include "compiler/fhir/v2_table.h"
#include "compiler/ir/ir.h"

namespace weir::check {

// The messages a feed accepts, as far as paths care: versions newest first, structures by name, declared Z segments.
struct MessageShape {
  std::vector<std::string> versions;
  std::set<std::string> structures;
  struct Declared {
    std::vector<fhir::V2Field> fields;
    bool repeats = false;
  };
  std::map<std::string, Declared, std::less<>> declared;
};

struct Variable {
  std::string name;
  int64_t slot = 0;
  ir::Type type;
};

struct Scope {
  const MessageShape* shape = nullptr;  // null: a FHIR context
  ir::Type this_type;
  int64_t this_slot = -1;               // -1: the record itself
  std::vector<Variable> variables;
  std::vector<Variable> segments;       // by id: "inside `for each NK1`, NK1-2 means the instance"
  std::vector<Variable> groups;
  std::string root_type;                // FHIR: the resource a leading type name means
  int64_t* slots = nullptr;             // next free slot of the function
  int64_t total_slot = -1;              // of the aggregate around
  bool pure = false;                    // FHIRPath of the standard, nothing of weir's
  int depth = 0;                        // of `fn` calls
};

}  // namespace weir::check
