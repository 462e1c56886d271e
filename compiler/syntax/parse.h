// Text to tree. The only folder that knows ANTLR is this one, and this header does not show it.
// ParseFile never fails: what is wrong goes to the sink, several errors per pass but one per
// logical line, and the tree holds the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "compiler/base/source_file.h"
#include "compiler/diag/diagnostic.h"
#include "compiler/syntax/ast.h"

namespace weir::syntax {

// Bounds on what a file can make us do. Past one, parsing stops there with a diagnostic (E0108 …
// E0110).
struct ParseOptions {
  // Some 25,000 lines; the worst text of that size costs seconds and 600 MB, not minutes.
  size_t max_bytes = 1u << 20;
  uint32_t max_depth =
      200;  // open brackets and signs: parser, checker and lowering recurse over them
  uint32_t max_chain = 500;   // operators and steps in a row make a tree as deep as they are many
  uint32_t max_errors = 100;  // reported per file; nobody reads more
};

std::unique_ptr<ast::File> ParseFile(SourceFiles& files, FileId id, const ParseOptions& options,
                                     DiagnosticSink& sink);

// One FHIRPath expression: newlines mean nothing, strings may span lines, weir's own paths are
// allowed too. Null after an error.
ast::ExprPtr ParseFhirPath(SourceFiles& files, FileId id, const ParseOptions& options,
                           DiagnosticSink& sink);

}  // namespace weir::syntax
