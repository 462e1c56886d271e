// From the first argument of a command, a source or a package, to what runs it.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "compiler/check/check.h"
#include "runtime/operate/cli.h"

namespace weir::driver {

struct SourceArgs {
  std::string path;
  std::string engine = "jit";  // jit | interp
  std::string cache_dir;       // JIT objects; empty: the user's cache
  std::string std_dir, registry_dir;
  std::string trusted_keys;  // of packages; without, each is noted as not vouched for
};

void AddDirectoryOptions(CLI::App& command, SourceArgs& args);
void AddEngineOptions(CLI::App& command, SourceArgs& args);
void AddSourceOptions(CLI::App& command, SourceArgs& args, bool with_engine);

check::CheckOptions MakeCheckOptions(const SourceArgs& args);

// Compiles and reports on stderr. Null when the source does not compile.
std::unique_ptr<check::Compilation> LoadSource(const SourceArgs& args);

using operate::OpenedEngine;
OpenedEngine OpenEngine(const SourceArgs& args);

}  // namespace weir::driver
