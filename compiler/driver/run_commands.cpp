// weir run SRC|PKG --in PATH… --hub FILE, weir map SRC|PKG --in PATH…, weir serve SRC|PKG --hub FILE
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>

#include "compiler/driver/cli.h"
#include "compiler/driver/source.h"
#include "runtime/hub/hub.h"
#include "runtime/ingest/ingest.h"
#include "runtime/ingest/sources.h"
#include "runtime/io/io.h"
#include "runtime/operate/ledger_text.h"
#include "runtime/serve/serve_options.h"

namespace weir::driver {
namespace {

// Set by SIGINT and SIGTERM, looked at between batches: what is committed stays, the rest is as if never read.
std::atomic<bool> stop_requested{false};

void OnStop(int) { stop_requested = true; }

struct RunArgs {
  SourceArgs source;
  std::vector<std::string> inputs;
  std::string hub;
  std::string key_file;
  std::string namespace_file;
  std::string fail_on;
  uint32_t batch = 1000;
  bool json = false;
  serve::ServeArguments serve;
};

class ProgressBar {
 public:
  // Quiet in a pipe: a log file wants no carriage returns.
  void operator()(const ingest::Progress& progress) {
    if (!shown_) {
      return;
    }
    double share = progress.bytes_total > 0
                       ? static_cast<double>(progress.bytes) / static_cast<double>(progress.bytes_total)
                       : 1.0;
    int filled = static_cast<int>(share * kWidth);
    std::fprintf(stderr, "\r[%.*s%*s] %3d %%  %llu records", filled, "########################################",
                 kWidth - filled, "", static_cast<int>(share * 100), static_cast<unsigned long long>(progress.records));
    dirty_ = true;
  }
  ~ProgressBar() {
    if (dirty_) {
      std::fprintf(stderr, "\r\033[K");
    }
  }

 private:
  static constexpr int kWidth = 40;
  bool shown_ = isatty(STDERR_FILENO) != 0;
  bool dirty_ = false;
};

Result<ingest::IngestOptions> MakeOptions(const RunArgs& args, const ingest::Engine& engine) {
  ingest::IngestOptions options;
  options.name_space.name = engine.manifest().package;
  if (!args.namespace_file.empty()) {
    auto name_space = ingest::ReadNamespaceFile(args.namespace_file);
    if (!name_space) {
      return name_space.error();
    }
    options.name_space = *name_space;
    if (options.name_space.name.empty()) {
      options.name_space.name = engine.manifest().package;
    }
  }
  options.batch = args.batch;
  options.stop = &stop_requested;
  std::signal(SIGINT, OnStop);
  std::signal(SIGTERM, OnStop);
  return options;
}

int64_t Rejected(const hub::Ledger& ledger) {
  int64_t sum = 0;
  for (const auto& [feed, c] : ledger) {
    sum += c.schema + c.terminology + c.policy + c.transform;
  }
  return sum;
}

int Finish(const RunArgs& args, const ingest::RunReport& report) {
  for (const auto& path : report.unreadable) {
    Fail(fmt::format("cannot read {}", path));
  }
  if (report.stopped) {
    std::fprintf(stderr, "weir: stopped; what was committed stays, the rest was not read\n");
    return kInterrupted;
  }
  if (!report.unreadable.empty()) {
    return kUsage;
  }
  return args.fail_on == "rejected" && Rejected(report.ledger) > 0 ? kFindings : kFine;
}

int Run(const RunArgs& args) {
  auto engine = OpenEngine(args.source);
  if (!engine.ok()) {
    return engine.exit_code;
  }
  auto options = MakeOptions(args, *engine.engine);
  if (!options) {
    return Fail(options.error().message);
  }
  if (auto inputs = ingest::ExpandPaths(args.inputs); !inputs) {  // before a hub is made for nothing
    return Fail(inputs.error().message);
  }
  auto hub = hub::Hub::Open({.path = args.hub, .key_file = args.key_file, .read_only = false, .cache_kib = 65536});
  if (!hub) {
    return Fail(hub.error().message);
  }
  auto report = [&] {
    ProgressBar bar;
    options->progress = [&bar](const ingest::Progress& progress) { bar(progress); };
    return ingest::RunFiles(args.inputs, *engine.engine, **hub, *options);
  }();
  if (!report) {
    return Fail(report.error().message);
  }
  std::cout << (args.json ? hub::LedgerJson(report->ledger) + "\n" : operate::FormatLedger(report->ledger));
  return Finish(args, *report);
}

int Map(const RunArgs& args) {
  auto engine = OpenEngine(args.source);
  if (!engine.ok()) {
    return engine.exit_code;
  }
  auto options = MakeOptions(args, *engine.engine);
  if (!options) {
    return Fail(options.error().message);
  }
  auto report = ingest::MapFiles(args.inputs, *engine.engine, std::cout, *options);
  if (!report) {
    return Fail(report.error().message);
  }
  std::cout.flush();
  return Finish(args, *report);
}

int Serve(const RunArgs& args) {
  auto io = io::OpenSystem();  // before the compiler makes threads: those inherit its signal mask
  if (!io) {
    return Fail(io.error().message);
  }
  auto engine = OpenEngine(args.source);
  if (!engine.ok()) {
    return engine.exit_code;
  }
  auto ingest = MakeOptions(args, *engine.engine);
  if (!ingest) {
    return Fail(ingest.error().message);
  }
  serve::ServeOptions options = serve::MakeServeOptions(args.serve, "weir");
  options.ingest = *ingest;
  options.hub = {.path = args.hub, .key_file = args.key_file, .read_only = false, .cache_kib = 65536};
  auto served = serve::Serve(*engine.engine, options, **io);
  return served ? kFine : Fail(served.error().message, kFindings);
}

}  // namespace

void AddRunCommands(CLI::App& app, Action& action) {
  auto args = std::make_shared<RunArgs>();
  auto add = [&](const char* name, const char* help, int (*run)(const RunArgs&)) {
    CLI::App* command = app.add_subcommand(name, help);
    AddSourceOptions(*command, args->source, /*with_engine=*/true);
    if (run != Serve) {
      command->add_option("--in", args->inputs, "files, folders or `-`")->required();
    }
    command->add_option("--namespace-key", args->namespace_file, "file with the namespace key (32 hex digits)");
    if (run != Serve) {
      command->add_option("--fail-on", args->fail_on, "`rejected`: exit 1 when a record was refused")
          ->check(CLI::IsMember({"rejected"}));
    }
    command->callback([&action, args, run] { action = [args, run] { return run(*args); }; });
    return command;
  };
  CLI::App* run = add("run", "process files into a hub, then stop; prints this run's ledger", Run);
  CLI::App* serve = add("serve", "take messages over MLLP, HTTP and from folders into a hub, until SIGTERM", Serve);
  for (CLI::App* command : {run, serve}) {
    command->add_option("--hub", args->hub, "the hub's file, made when absent")->required();
    command->add_option("--key-file", args->key_file, "file with the encryption key (else WEIR_HUB_KEY_FILE)");
    command->add_option("--batch", args->batch, "records per transaction")->check(CLI::Range(1, 100000));
  }
  serve::AddServeOptions(*serve, args->serve);
  run->add_flag("--json", args->json, "the ledger as one JSON document, the last line");
  add("map", "stateless: one NDJSON line per record", Map);
}

}  // namespace weir::driver
