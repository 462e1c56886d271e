// weir-node: the runtime alone. It sees patient data, so it links neither ANTLR nor LLVM
// (tests/e2e/hub proves it).
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <iostream>

#include "runtime/hub/hub.h"
#include "runtime/ingest/engine.h"
#include "runtime/ingest/ingest.h"
#include "runtime/io/io.h"
#include "runtime/node/load_kernel.h"
#include "runtime/operate/cli.h"
#include "runtime/operate/ledger_text.h"
#include "runtime/serve/serve.h"
#include "runtime/serve/serve_options.h"

namespace {

using weir::Error;
using weir::Result;

using enum weir::operate::ExitCode;

std::atomic<bool> stop_requested = false;
void RequestStop(int) { stop_requested = true; }

struct Arguments {
  std::string package, hub, key_file, namespace_key, fail_on, trusted_keys;
  bool allow_unsigned = false;
  std::vector<std::string> in;
  uint32_t batch = 1000;
  bool json = false;
};

int Fail(const Error& error) { return weir::operate::Fail(error.message); }

Result<weir::ingest::IngestOptions> MakeOptions(const Arguments& arguments) {
  weir::ingest::IngestOptions options;
  options.batch = arguments.batch;
  options.stop = &stop_requested;
  if (!arguments.namespace_key.empty()) {
    auto name_space = weir::ingest::ReadNamespaceFile(arguments.namespace_key);
    if (!name_space) {
      return name_space.error();
    }
    options.name_space = *name_space;
  }
  if (isatty(STDERR_FILENO)) {
    options.progress = [](const weir::ingest::Progress& progress) {
      const uint64_t percent =
          progress.bytes_total
              ? std::min<uint64_t>(100, 100 * progress.bytes / progress.bytes_total)
              : 0;
      std::cerr << "\r" << progress.records << " records, " << percent << " % " << std::flush;
    };
  }
  return options;
}

int64_t Rejected(const weir::hub::Ledger& ledger) {
  int64_t rejected = 0;
  for (const auto& [feed, counts] : ledger) {
    rejected += counts.schema + counts.terminology + counts.policy + counts.transform;
  }
  return rejected;
}

int Report(const Arguments& arguments, const weir::ingest::RunReport& report) {
  for (const std::string& path : report.unreadable) {
    std::cerr << "weir-node: cannot read `" << path << "`\n";
  }
  if (report.stopped) {
    std::cerr
        << "weir-node: stopped; the hub holds what was committed, another run takes the rest\n";
    return kInterrupted;
  }
  if (!report.unreadable.empty() ||
      (arguments.fail_on == "rejected" && Rejected(report.ledger) > 0)) {
    return kFindings;
  }
  return kFine;
}

void AddTrustOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--trusted-keys", arguments.trusted_keys, "file of the public keys whose packages are taken");
  command.add_flag("--allow-unsigned", arguments.allow_unsigned, "also take packages nobody vouches for");
}

Result<std::unique_ptr<weir::node::LoadedKernel>> Load(const Arguments& arguments) {
  weir::package::Trust trust{.keys = {}, .allow_unsigned = arguments.allow_unsigned};
  if (!arguments.trusted_keys.empty()) {
    auto keys = weir::package::ReadPublicKeys(arguments.trusted_keys);
    if (!keys) {
      return keys.error();
    }
    trust.keys = std::move(*keys);
  }
  return weir::node::LoadKernel(arguments.package, trust);
}

int Run(const Arguments& arguments) {
  auto loaded = Load(arguments);
  if (!loaded) {
    return Fail(loaded.error());
  }
  auto engine = weir::ingest::KernelEngine::Create((*loaded)->kernel());
  if (!engine) {
    return Fail(engine.error());
  }
  auto options = MakeOptions(arguments);
  if (!options) {
    return Fail(options.error());
  }
  auto hub = weir::hub::Hub::Open({.path = arguments.hub, .key_file = arguments.key_file});
  if (!hub) {
    return Fail(hub.error());
  }
  auto report = weir::ingest::RunFiles(arguments.in, *engine, **hub, *options);
  if (options->progress) {
    std::cerr << "\n";
  }
  if (!report) {
    return Fail(report.error());
  }
  if (arguments.json) {
    std::cout << weir::hub::LedgerJson(report->ledger) << "\n";
  } else {
    std::cout << weir::operate::FormatLedger(report->ledger);
  }
  return Report(arguments, *report);
}

int Map(const Arguments& arguments) {
  auto loaded = Load(arguments);
  if (!loaded) {
    return Fail(loaded.error());
  }
  auto engine = weir::ingest::KernelEngine::Create((*loaded)->kernel());
  if (!engine) {
    return Fail(engine.error());
  }
  auto options = MakeOptions(arguments);
  if (!options) {
    return Fail(options.error());
  }
  options->progress = nullptr;
  auto report = weir::ingest::MapFiles(arguments.in, *engine, std::cout, *options);
  return report ? Report(arguments, *report) : Fail(report.error());
}

int Serve(const Arguments& arguments, const weir::serve::ServeArguments& serve) {
  auto io = weir::io::OpenSystem();  // before anything makes a thread: those inherit its signal mask
  if (!io) {
    return Fail(io.error());
  }
  auto loaded = Load(arguments);
  if (!loaded) {
    return Fail(loaded.error());
  }
  auto engine = weir::ingest::KernelEngine::Create((*loaded)->kernel());
  if (!engine) {
    return Fail(engine.error());
  }
  auto ingest = MakeOptions(arguments);
  if (!ingest) {
    return Fail(ingest.error());
  }
  weir::serve::ServeOptions options = weir::serve::MakeServeOptions(serve, "weir-node");
  options.ingest = *ingest;
  options.hub = {.path = arguments.hub, .key_file = arguments.key_file};
  auto served = weir::serve::Serve(*engine, options, **io);
  if (!served) {
    Fail(served.error());
    return kFindings;
  }
  return kFine;
}

void AddHubCommands(CLI::App& app, weir::operate::Action& action, Arguments& arguments) {
  weir::operate::AddHubCommands(app, action,
                                {.add_options = [&arguments](CLI::App& command) { AddTrustOptions(command, arguments); },
                                 .open = [&arguments](const std::string& path) -> weir::operate::OpenedEngine {
                                   arguments.package = path;
                                   auto loaded = Load(arguments);
                                   if (!loaded) {
                                     return {.engine = nullptr, .keeps = nullptr, .exit_code = Fail(loaded.error())};
                                   }
                                   std::shared_ptr<weir::node::LoadedKernel> keeps(std::move(*loaded));
                                   auto engine = weir::ingest::KernelEngine::Create(keeps->kernel());
                                   if (!engine) {
                                     return {.engine = nullptr, .keeps = nullptr, .exit_code = Fail(engine.error())};
                                   }
                                   return {.engine = std::make_unique<weir::ingest::KernelEngine>(std::move(*engine)), .keeps = std::move(keeps)};
                                 }});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("weir-node: runs compiled feeds");
  app.set_version_flag("--version", "weir-node 0.1.0");
  app.require_subcommand(1);
  weir::operate::SetProgram("weir-node");
  Arguments arguments;
  weir::operate::Action action;
  AddHubCommands(app, action, arguments);
  CLI::App* run = app.add_subcommand("run", "process files into a hub, then stop");
  CLI::App* map = app.add_subcommand("map", "one NDJSON line per record, without a hub");
  CLI::App* serve = app.add_subcommand("serve", "take messages over MLLP, HTTP and from folders, until SIGTERM");
  weir::serve::ServeArguments serve_arguments;
  weir::serve::AddServeOptions(*serve, serve_arguments);
  for (CLI::App* command : {run, map}) {
    command->add_option("--in", arguments.in, "files, folders or -")->required();
  }
  for (CLI::App* command : {run, map, serve}) {
    command->add_option("package", arguments.package, "compiled feed")->required();
    AddTrustOptions(*command, arguments);
    command->add_option("--namespace-key", arguments.namespace_key,
                        "file with 32 hex digits and a name");
    command->add_option("--batch", arguments.batch, "records per transaction")
        ->check(CLI::Range(1, 1'000'000));
  }
  for (CLI::App* command : {run, serve}) {
    command->add_option("--hub", arguments.hub, "hub file")->required();
    command->add_option("--key-file", arguments.key_file, "key of the hub; default: WEIR_HUB_KEY_FILE");
  }
  run->add_option("--fail-on", arguments.fail_on, "exit 1 when records are refused")
      ->check(CLI::IsMember({"rejected"}));
  run->add_flag("--json", arguments.json, "the run's ledger as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kUsage;
  }
  if (action) {
    return action();
  }
  if (serve->parsed()) {
    return Serve(arguments, serve_arguments);
  }
  struct sigaction on_signal{};
  on_signal.sa_handler = RequestStop;
  sigaction(SIGINT, &on_signal, nullptr);
  sigaction(SIGTERM, &on_signal, nullptr);
  return run->parsed() ? Run(arguments) : Map(arguments);
}
