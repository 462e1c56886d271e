#include "runtime/operate/hub_args.h"

namespace weir::operate {
namespace {

int Open(const hub::HubOptions& options, const std::function<int(hub::Hub&)>& use) {
  auto hub = hub::Hub::Open(options);
  return hub ? use(**hub) : Fail(hub.error().message, kUsage);
}

}  // namespace

int WithHub(const HubArgs& args, const std::function<int(hub::Hub&)>& use) { return Open(args.options, use); }

int WithWriter(const HubArgs& args, const std::function<int(hub::Hub&)>& use) {
  hub::HubOptions options = args.options;
  options.read_only = false;
  options.visit = true;
  return Open(options, use);
}

CLI::App* AddHubCommands(CLI::App& app, Action& action, const Kernels& kernels) {
  CLI::App* hub = app.add_subcommand("hub", "operate a hub");
  hub->require_subcommand(1);
  AddReadCommands(hub, action);
  AddLetterCommands(hub, action);
  AddReplayCommands(hub, action, kernels);
  AddAuditCommands(hub, action);
  return hub;
}

}  // namespace weir::operate
