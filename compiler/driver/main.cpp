#include <CLI/CLI.hpp>

#include "compiler/driver/cli.h"

int main(int argc, char** argv) {
  using namespace weir::driver;
  CLI::App app("weir: feeds, FHIR mappings and consent as code, compiled to native kernels", "weir");
  app.set_version_flag("--version", "weir " WEIR_VERSION " (LLVM 19, FHIR R4 4.0.1)");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  Action action;
  AddAuthorCommands(app, action);
  AddTryCommand(app, action);
  AddBuildCommands(app, action);
  AddImportCommand(app, action);
  AddRunCommands(app, action);
  AddProfileCommand(app, action);
  AddTestCommand(app, action);
  AddHubCommands(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error);
    return code == 0 ? kFine : kUsage;
  }
  return action ? action() : kUsage;
}
