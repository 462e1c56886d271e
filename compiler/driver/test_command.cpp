// weir test SRC: the source's own tests, in the interpreter and in native code.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "compiler/contract/feed_tests.h"
#include "compiler/driver/cli.h"
#include "compiler/driver/source.h"

namespace weir::driver {
namespace {

struct TestArgs {
  SourceArgs source;
  std::string engine = "both", junit;
  bool json = false;
};

std::string Text(const std::vector<contract::TestResult>& results) {
  std::string out;
  size_t failed = 0;
  for (const auto& result : results) {
    out += fmt::format("{} {} ({}:{})\n", result.failures.empty() ? "ok    " : "FAILED", result.name, result.file, result.line);
    failed += result.failures.empty() ? 0 : 1;
    for (const auto& failure : result.failures) {
      out += fmt::format("  {}:{}: {}{}\n", result.file, failure.line, failure.engine.empty() ? "" : failure.engine + ": ", failure.message);
    }
  }
  return out + fmt::format("{} tests, {} failed\n", results.size(), failed);
}

std::string Json(const std::vector<contract::TestResult>& results) {
  nlohmann::json cases = nlohmann::json::array();
  size_t failed = 0;
  for (const auto& result : results) {
    nlohmann::json failures = nlohmann::json::array();
    for (const auto& failure : result.failures) {
      failures.push_back({{"line", failure.line}, {"engine", failure.engine}, {"message", failure.message}});
    }
    failed += result.failures.empty() ? 0 : 1;
    cases.push_back({{"name", result.name}, {"file", result.file}, {"line", result.line}, {"failures", failures}});
  }
  return nlohmann::json{{"tests", results.size()}, {"failed", failed}, {"cases", cases}}.dump() + "\n";
}

int Test(const TestArgs& args) {
  auto compilation = LoadSource(args.source);
  if (compilation == nullptr) {
    return kDoesNotCompile;
  }
  std::vector<OpenedEngine> opened;
  std::vector<contract::NamedEngine> engines;
  for (const char* name : {"interp", "jit"}) {
    if (args.engine != "both" && args.engine != name) {
      continue;
    }
    SourceArgs source = args.source;
    source.engine = name;
    opened.push_back(OpenEngine(source));
    if (!opened.back().ok()) {
      return opened.back().exit_code;
    }
    engines.push_back({name, opened.back().engine.get()});
  }
  auto results = contract::RunTests(*compilation, engines);
  if (!args.junit.empty()) {
    std::ofstream out(args.junit, std::ios::binary);
    out << contract::JUnit(compilation->module.package, results);
    if (!out.flush()) {
      return Fail(fmt::format("cannot write {}", args.junit));
    }
  }
  std::cout << (args.json ? Json(results) : Text(results));
  bool broken = false, failed = false;
  for (const auto& result : results) {
    broken = broken || result.broken;
    failed = failed || !result.failures.empty();
  }
  return broken ? kDoesNotCompile : failed ? kFindings : kFine;
}

}  // namespace

void AddTestCommand(CLI::App& app, Action& action) {
  auto args = std::make_shared<TestArgs>();
  CLI::App* command = app.add_subcommand("test", "run the source's `test` blocks");
  AddSourceOptions(*command, args->source, /*with_engine=*/false);
  command->add_option("--engine", args->engine, "interp, jit or both")->check(CLI::IsMember({"interp", "jit", "both"}));
  command->add_option("--junit", args->junit, "write the results as JUnit XML to this file");
  command->add_flag("--json", args->json, "one JSON document on one line");
  command->callback([&action, args] { action = [args] { return Test(*args); }; });
}

}  // namespace weir::driver
