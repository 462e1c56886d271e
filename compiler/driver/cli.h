// The command line decides nothing: each command turns its options into one call of a phase or of the hub and prints
// the answer. Data goes to stdout, progress and logs to stderr; `--json` prints one document on one line, the last.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace weir::driver {

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

void AddAuthorCommands(CLI::App& app, Action& action);    // check, fmt, explain
void AddTryCommand(CLI::App& app, Action& action);         // try
void AddBuildCommands(CLI::App& app, Action& action);     // build, keygen
void AddImportCommand(CLI::App& app, Action& action);     // import
void AddRunCommands(CLI::App& app, Action& action);       // run, map
void AddProfileCommand(CLI::App& app, Action& action);   // profile
void AddTestCommand(CLI::App& app, Action& action);      // test
void AddHubCommands(CLI::App& app, Action& action);       // hub …

// `weir: message` on stderr; returns `code`.
int Fail(std::string_view message, int code = kUsage);

}  // namespace weir::driver
