// hub replay|backfill
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "runtime/base/clock.h"
#include "runtime/ingest/replay.h"
#include "runtime/operate/hub_args.h"
#include "runtime/operate/when.h"

namespace weir::operate {
namespace {

using Json = nlohmann::ordered_json;

std::atomic<bool> stop_requested{false};
void OnStop(int) { stop_requested = true; }

struct ReplayArgs {
  HubArgs hub;
  Kernels kernels;
  std::string kernel, namespace_file, since, from, to;
  hub::Selection selection;
  bool dry_run = false;
  uint32_t batch = 500;
};

Json Described(const ingest::ReplayPlan& plan) {
  return {{"messages", plan.messages}, {"patients", plan.patients}, {"accepted", plan.accepted}, {"refused", plan.refused},
          {"suppressed", plan.suppressed}, {"without_bytes", plan.without_bytes}, {"damaged", plan.damaged}};
}

void PrintPlan(const ingest::ReplayPlan& plan, bool dry_run) {
  std::cerr << fmt::format("{} patient{} affected: {} message{} to judge again, {} accepted, {} refused{}\n", plan.patients,
                           plan.patients == 1 ? "" : "s", plan.messages, plan.messages == 1 ? "" : "s", plan.accepted, plan.refused,
                           dry_run ? "; nothing is written (--dry-run)" : "");
  if (plan.without_bytes > 0) {
    std::cerr << fmt::format("{} cannot be judged again: their bytes were dropped\n", plan.without_bytes);
  }
  if (plan.damaged > 0) {
    std::cerr << fmt::format("{} cannot be judged again: their bytes are damaged, see `hub verify`\n", plan.damaged);
  }
}

Result<ingest::ReplayOptions> MakeOptions(const ReplayArgs& args, const ingest::Engine& engine) {
  ingest::ReplayOptions options{.selection = args.selection, .ingest = {}, .dry_run = args.dry_run};
  options.ingest.batch = args.batch;
  options.ingest.stop = &stop_requested;
  options.ingest.name_space.name = engine.manifest().package;
  if (!args.namespace_file.empty()) {
    auto name_space = ingest::ReadNamespaceFile(args.namespace_file);
    if (!name_space) {
      return name_space.error();
    }
    options.ingest.name_space = *name_space;
    if (options.ingest.name_space.name.empty()) {
      options.ingest.name_space.name = engine.manifest().package;
    }
  }
  hub::Selection& selection = options.selection;
  for (const auto& [text, into] : {std::pair(&args.since, &selection.since_us), {&args.from, &selection.event_from_us}, {&args.to, &selection.event_to_us}}) {
    if (text->empty()) {
      continue;
    }
    auto when = ParseWhen(*text, WallMicros());
    if (!when) {
      return when.error();
    }
    *into = *when;
  }
  return options;
}

// What was run, without a patient's value.
std::string Facts(const ReplayArgs& args, const ingest::Engine& engine, const ingest::ReplayReport& report) {
  Json facts{{"kernel", engine.manifest().semantic_digest}, {"plan", Described(report.plan)}, {"changed", report.changed}, {"unchanged", report.unchanged}};
  for (const auto& [name, value] : {std::pair("class", &args.selection.error_class), {"code", &args.selection.code}, {"since", &args.since}, {"from", &args.from}, {"to", &args.to}}) {
    if (!value->empty()) {
      facts[name] = *value;
    }
  }
  if (!args.selection.ids.empty()) {
    facts["ids"] = args.selection.ids.size();
  }
  return facts.dump();
}

int RunReplay(const ReplayArgs& args, const char* what) {
  auto engine = args.kernels.open(args.kernel);
  if (!engine.ok()) {
    return engine.exit_code;
  }
  auto options = MakeOptions(args, *engine.engine);
  if (!options) {
    return Fail(options.error().message);
  }
  options->planned = [&](const ingest::ReplayPlan& plan) { PrintPlan(plan, args.dry_run); };
  std::signal(SIGINT, OnStop);
  std::signal(SIGTERM, OnStop);
  return WithWriter(args.hub, [&](hub::Hub& hub) {
    auto report = ingest::Replay(*engine.engine, hub, *options);
    if (!report) {
      return Fail(report.error().message, kUndecided);
    }
    if (!args.dry_run) {
      if (auto audited = hub.RecordAct(what, Facts(args, *engine.engine, *report)); !audited) {
        return Fail(audited.error().message, kUndecided);
      }
    }
    if (args.hub.json) {
      Json json = Described(report->plan);
      json["changed"] = report->changed;
      json["unchanged"] = report->unchanged;
      json["dry_run"] = args.dry_run;
      std::cout << json.dump() << '\n';
    } else if (!args.dry_run) {
      std::cout << fmt::format("{} judged otherwise now, {} as before\n", report->changed, report->unchanged);
    }
    if (report->stopped) {
      return Fail("stopped; what was judged stays, another replay goes on", kInterrupted);
    }
    return static_cast<int>(report->plan.damaged > 0 ? kFindings : kFine);
  });
}

int Replay(const ReplayArgs& args) {
  ReplayArgs chosen = args;
  hub::Selection& selection = chosen.selection;
  selection.rejected = selection.rejected || !selection.error_class.empty() || !selection.code.empty();
  if (!selection.all && !selection.rejected && !selection.degraded && !selection.held && selection.ids.empty()) {
    selection.rejected = selection.degraded = selection.held = true;
  }
  return RunReplay(chosen, "replay");
}

int Backfill(const ReplayArgs& args) {
  ReplayArgs chosen = args;
  chosen.selection.all = true;
  return RunReplay(chosen, "backfill");
}

}  // namespace

void AddReplayCommands(CLI::App* hub, Action& action, const Kernels& kernels) {
  auto args = std::make_shared<ReplayArgs>();
  args->kernels = kernels;
  CLI::App* replay = AddHubCommand(hub, action, "replay", "judge stored messages again: what was refused, degraded or set aside", args, Replay);
  replay->add_option("--class", args->selection.error_class, "only dead letters of this class");
  replay->add_option("--code", args->selection.code, "only dead letters of this code");
  replay->add_option("--since", args->since, "received then or later: a time, or 15m, 2h, 7d ago");
  replay->add_option("--ids", args->selection.ids, "these messages, as `dlq list` numbers them")->delimiter(',');
  replay->add_flag("--rejected", args->selection.rejected, "dead letters");
  replay->add_flag("--degraded", args->selection.degraded, "what was counted degraded");
  replay->add_flag("--held", args->selection.held, "what a restore set aside");
  replay->add_flag("--all", args->selection.all, "every message");
  CLI::App* backfill = AddHubCommand(hub, action, "backfill", "judge all messages of a stretch of event time again; sinks are told nothing", args, Backfill);
  backfill->add_option("--from", args->from, "event time: 2026-10-18T04:00:00Z, or 7d ago")->required();
  backfill->add_option("--to", args->to, "event time, exclusive")->required();
  for (CLI::App* command : {replay, backfill}) {
    command->add_option("--kernel", args->kernel, "the source or package that judges")->required();
    command->add_option("--namespace-key", args->namespace_file, "file with the namespace key (32 hex digits)");
    command->add_option("--batch", args->batch, "messages per transaction, and per turn beside a node")->check(CLI::Range(1, 100'000));
    command->add_flag("--dry-run", args->dry_run, "say what would become of them, write nothing");
    kernels.add_options(*command);
  }
}

}  // namespace weir::operate
