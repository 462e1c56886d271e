// `weir check --coverage`: which rows of HL7's v2-to-FHIR guide the standard library decides, by a line or in words.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/syntax/ast.h"
#include "runtime/base/result.h"

namespace weir::driver {

enum class RowState { kUndecided, kLine, kWords };

struct CoverageRow {
  std::string source, target;       // as the guide writes them; a table's: the two codes
  bool constant = false;            // the guide assigns a value, the source is its condition
  std::vector<std::string> calls;   // sheets
  RowState state = RowState::kUndecided;
};

struct CoverageSheet {
  char kind = 'S';  // M message, S segment, D data type, T table
  std::string name;
  size_t untargeted = 0;  // rows the guide gives no target: nothing to decide
  std::vector<CoverageRow> rows;
  bool mapped = false;         // a declaration is marked with it
  bool left_out = false;       // `//@row * *`: the whole sheet is decided in words
};

struct Coverage {
  std::vector<CoverageSheet> sheets;
  std::vector<std::string> faults;  // a decision for a row that is not there: it decides nothing and misleads
};

// `rows` is the text of contracts/registry/v2-to-fhir.rows.
Result<Coverage> ReadCoverageRows(std::string_view rows);

// One file of the library with its comments.
struct LibraryFile {
  std::string path;
  std::string text;
};
void Decide(const std::vector<LibraryFile>& library, Coverage& coverage);

// What one line of a map writes, and from what; see coverage_lines.cpp.
struct WrittenElement {
  std::vector<std::string> target;   // {"participant", "individual"}
  std::vector<std::string> sources;  // "PV1-7", ".4.2" relative to the data type
  bool deep = false;                 // a data type's map or a table writes what is below
  bool by_table = false;
  bool always = false;  // a constant of the whole map
};
using Declarations = std::map<std::string, std::pair<const ast::Decl*, const SourceFile*>>;
std::string NameInLibrary(const ast::Decl& decl);  // `map CX to Identifier` is CX_Identifier
std::vector<WrittenElement> WrittenBy(const ast::Decl& decl, const SourceFile& file, const Declarations& all);

int PrintCoverage(const std::string& std_dir, const std::string& registry_dir, bool json);

}  // namespace weir::driver
