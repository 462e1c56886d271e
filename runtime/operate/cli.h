// What the commands of `weir` and `weir-node` share: exit codes, how a failure is said, and what an operator does with a hub. Data goes to
// stdout, progress and logs to stderr; `--json` prints one document on one line, the last.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/ingest/engine.h"

namespace weir::operate {

// Promised: scripts rely on these numbers.
enum ExitCode : int {
  kFine = 0,
  kFindings = 1,
  kUsage = 2,
  kDoesNotCompile = 3,
  kUndecided = 4,
  kInterrupted = 130,  // as a shell says of a command that SIGINT ended
};

// A command adds its options to the app and leaves what is to be run in `action`.
using Action = std::function<int()>;

void SetProgram(const char* name);  // "weir", "weir-node"
// `PROGRAM: message` on stderr; returns `code`.
int Fail(std::string_view message, int code = kUsage);

struct OpenedEngine {
  std::unique_ptr<ingest::Engine> engine;
  std::shared_ptr<void> keeps;  // compilation, kernel or package the engine points into
  int exit_code = 0;            // when there is no engine: it was said why
  bool ok() const { return engine != nullptr; }
};

// How a program gets at kernels: weir compiles sources, weir-node takes packages only.
struct Kernels {
  std::function<void(CLI::App&)> add_options = [](CLI::App&) {};
  std::function<OpenedEngine(const std::string& path)> open;
};

// The subcommands of `hub`, which is returned for those that only one program has.
CLI::App* AddHubCommands(CLI::App& app, Action& action, const Kernels& kernels);

}  // namespace weir::operate
