// Source files to a typed program and its IR: load what `use` names, parse, resolve, check both sides, generate.
// Only data type maps and tables that a feed's maps reach are checked and generated, so that std costs what is used.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/base/source_file.h"
#include "compiler/check/declarations.h"
#include "compiler/diag/diagnostic.h"
#include "compiler/fhir/type_table.h"
#include "compiler/fhir/v2_table.h"
#include "compiler/ir/ir.h"
#include "compiler/syntax/ast.h"

namespace weir::check {

struct CheckOptions {
  std::string std_dir = "dsl/std";                   // std.v2 is the folder v2 in it
  std::string registry_dir = "contracts/registry";
  std::string zoneinfo_dir = "/usr/share/zoneinfo";  // zone data is compiled in, then pinned by the digest
};

// What `--explain-conformance` says of one rule about one element.
struct ConformanceEntry {
  enum class State : uint8_t { kProved, kRunTime, kError, kMustSupportWithoutSource };
  std::string map, element;
  std::string rule;  // "required", an invariant's key, "fixed value", …
  State state = State::kProved;
  std::string how;

  friend bool operator==(const ConformanceEntry&, const ConformanceEntry&) = default;
};

struct Compilation {
  SourceFiles files;
  std::vector<std::unique_ptr<ast::File>> trees;
  std::unique_ptr<fhir::TypeTable> types;
  std::unique_ptr<fhir::V2Table> v2;
  Declarations declarations;
  ir::Module module;
  std::vector<ConformanceEntry> conformance;
  std::vector<std::string> mapped_fields;  // "PID-5", sorted: what some expression of the module reads
  bool ok = false;                         // no error, and the module verifies
};

// Never null; `module` is of use only when `ok`.
std::unique_ptr<Compilation> Compile(const std::vector<std::string>& paths, const CheckOptions& options,
                                     DiagnosticSink& sink);
std::string RenderConformance(const Compilation& compilation);
std::string_view Words(ConformanceEntry::State state);

}  // namespace weir::check
