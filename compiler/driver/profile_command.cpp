// weir profile PATH…: what sample messages say about their senders, and a draft contract that takes
// them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "compiler/driver/cli.h"
#include "compiler/driver/source.h"
#include "compiler/profile/profile.h"
#include "runtime/ingest/sources.h"

namespace weir::driver {
namespace {

struct ProfileArgs {
  SourceArgs source;
  std::vector<std::string> inputs;
  std::string draft;
  bool json = false, force = false;
};

int Run(const ProfileArgs& args) {
  namespace fs = std::filesystem;
  if (std::error_code error; !args.draft.empty() && !args.force && fs::exists(args.draft, error)) {
    return Fail(fmt::format("{} exists; --force overwrites it", args.draft));
  }
  auto sources = ingest::ExpandPaths(args.inputs);
  if (!sources) {
    return Fail(sources.error().message);
  }
  auto tables = fhir::V2Table::Load(MakeCheckOptions(args.source).registry_dir);
  if (!tables) {
    return Fail(tables.error().message, kUndecided);
  }
  auto begin = std::chrono::steady_clock::now();
  profile::Profiler profiler(**tables, profile::Limits());
  for (const auto& source : *sources) {
    profiler.BeginFile();
    bool read = ingest::ReadChunks(source, [&](std::string_view chunk) {
      profiler.Push(chunk);
      return true;
    });
    profiler.EndFile();
    if (!read) {
      return Fail(fmt::format("cannot read {}", source.name));
    }
  }
  const profile::Profile& profile = profiler.profile();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cerr << fmt::format("weir: {} messages in {:.2f} s, {:.0f} a second\n", profile.messages,
                           seconds,
                           static_cast<double>(profile.messages) / std::max(seconds, 1e-9));
  if (!args.draft.empty()) {
    auto draft = profile::DraftContract(profile, **tables, fs::path(args.draft).stem().string());
    std::ofstream out(args.draft, std::ios::binary);
    out << draft.source;
    if (!out.flush()) {
      return Fail(fmt::format("cannot write {}", args.draft));
    }
    std::cerr << fmt::format("weir: {} takes {} of {} messages\n", args.draft, draft.messages,
                             profile.messages);
  }
  std::cout << (args.json ? profile::JsonReport(profile, **tables)
                          : profile::TextReport(profile, **tables));
  return profile.messages == 0 ? kFindings : kFine;
}

}  // namespace

void AddProfileCommand(CLI::App& app, Action& action) {
  auto args = std::make_shared<ProfileArgs>();
  CLI::App* command = app.add_subcommand(
      "profile",
      "what sample messages say of their senders, without a patient's values; a draft contract");
  AddDirectoryOptions(*command, args->source);
  command->add_option("samples", args->inputs, "folders or files of messages, or `-`")->required();
  command->add_option("--draft", args->draft,
                      "write a contract that takes these samples to this .weir file");
  command->add_flag("--force", args->force, "overwrite the draft");
  command->add_flag("--json", args->json, "one JSON document on one line");
  command->callback([&action, args] { action = [args] { return Run(*args); }; });
}

}  // namespace weir::driver
