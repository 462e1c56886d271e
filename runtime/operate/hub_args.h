// What every `hub` command takes, and how it is added.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/hub/hub.h"
#include "runtime/operate/cli.h"

namespace weir::operate {

struct HubArgs {
  hub::HubOptions options{.path = {}, .key_file = {}, .read_only = true, .cache_kib = 65536};
  bool json = false;
};

// Opens the hub and hands it to `use`; the one place that turns a hub's error into an exit code.
int WithHub(const HubArgs& args, const std::function<int(hub::Hub&)>& use);
// The same, as a writer that takes turns with a node.
int WithWriter(const HubArgs& args, const std::function<int(hub::Hub&)>& use);

// `parent NAME --hub FILE …`; Args holds a HubArgs `hub`.
template <typename Args>
CLI::App* AddHubCommand(CLI::App* parent, Action& action, const char* name, const char* help, std::shared_ptr<Args> args,
                        int (*run)(const Args&)) {
  CLI::App* command = parent->add_subcommand(name, help);
  command->add_option("--hub", args->hub.options.path, "the hub's file")->required();
  command->add_option("--key-file", args->hub.options.key_file, "file with the encryption key (else WEIR_HUB_KEY_FILE)");
  command->add_flag("--json", args->hub.json, "one JSON document, the last line");
  command->callback([&action, args, run] { action = [args, run] { return run(*args); }; });
  return command;
}

void AddReadCommands(CLI::App* hub, Action& action);     // ledger, digest, verify, export, find
void AddLetterCommands(CLI::App* hub, Action& action);   // dlq
void AddReplayCommands(CLI::App* hub, Action& action, const Kernels& kernels);  // replay, backfill
void AddAuditCommands(CLI::App* hub, Action& action);    // acts

}  // namespace weir::operate
