// The command line decides nothing: each command turns its options into one call of a phase or of the hub and prints
// the answer. Data goes to stdout, progress and logs to stderr; `--json` prints one document on one line, the last.
#pragma once

#include <CLI/App.hpp>

#include "runtime/operate/cli.h"

namespace weir::driver {

using operate::Action;
using operate::Fail;
using enum operate::ExitCode;

void AddAuthorCommands(CLI::App& app, Action& action);    // check, fmt, explain
void AddTryCommand(CLI::App& app, Action& action);         // try
void AddBuildCommands(CLI::App& app, Action& action);     // build, keygen
void AddImportCommand(CLI::App& app, Action& action);     // import
void AddRunCommands(CLI::App& app, Action& action);       // run, map
void AddProfileCommand(CLI::App& app, Action& action);   // profile
void AddTestCommand(CLI::App& app, Action& action);      // test
void AddHubCommands(CLI::App& app, Action& action);       // hub …

}  // namespace weir::driver
