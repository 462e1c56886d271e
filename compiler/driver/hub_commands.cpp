// weir hub …: what weir-node has too (runtime/operate), with kernels compiled from sources.
#include <memory>

#include "compiler/driver/cli.h"
#include "compiler/driver/source.h"

namespace weir::driver {

void AddHubCommands(CLI::App& app, Action& action) {
  auto args = std::make_shared<SourceArgs>();
  operate::AddHubCommands(app, action,
                          {.add_options = [args](CLI::App& command) { AddEngineOptions(command, *args); },
                           .open =
                               [args](const std::string& path) {
                                 args->path = path;
                                 return OpenEngine(*args);
                               }});
}

}  // namespace weir::driver
