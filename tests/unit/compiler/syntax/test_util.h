#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

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

// The registry's definition lines, `Kind/id TAB JSON`, whose kind is this one; empty while there is
// no registry.
inline std::vector<std::string> RegistryLines(const std::string& kind) {
  std::vector<std::string> lines;
  std::filesystem::path registry(WEIR_SOURCE_DIR "/contracts/registry");
  if (!std::filesystem::exists(registry)) {
    return lines;
  }
  for (const auto& entry : std::filesystem::directory_iterator(registry)) {
    if (entry.path().extension() != ".defs") {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(kind + "/")) {
        lines.push_back(line.substr(line.find('\t') + 1));
      }
    }
  }
  return lines;
}

}  // namespace weir::syntax
