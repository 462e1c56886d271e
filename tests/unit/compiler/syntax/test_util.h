#pragma once

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"

namespace weir::syntax {

struct Parsed {
  SourceFiles files;
  DiagnosticSink sink;
  std::unique_ptr<ast::File> file;
  ast::ExprPtr expr;

  std::string Errors() const { return RenderText(files, sink.Sorted()); }
};

inline Parsed ParseSource(std::string text, const ParseOptions& options = {}) {
  Parsed parsed;
  FileId id = parsed.files.Add("test.weir", std::move(text));
  parsed.file = ParseFile(parsed.files, id, options, parsed.sink);
  return parsed;
}

inline Parsed ParseExpr(std::string text, const ParseOptions& options = {}) {
  Parsed parsed;
  FileId id = parsed.files.Add("test.fhirpath", std::move(text));
  parsed.expr = ParseFhirPath(parsed.files, id, options, parsed.sink);
  return parsed;
}

inline std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The folder of specifications and suites beside the checkout; WEIR_SHARED says otherwise.
inline std::string SharedDir() {
  const char* set = std::getenv("WEIR_SHARED");
  return set != nullptr ? set : std::string(WEIR_SOURCE_DIR) + "/../shared";
}

}  // namespace weir::syntax
