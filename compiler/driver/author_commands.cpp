// weir check, fmt, explain: the author's loop. (`try` has its own file.)
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "compiler/diag/render.h"
#include "compiler/driver/cli.h"
#include "compiler/driver/coverage.h"
#include "compiler/driver/source.h"
#include "compiler/syntax/format.h"
#include "compiler/syntax/parse.h"

namespace weir::driver {
namespace {

struct AuthorArgs {
  SourceArgs source;
  std::vector<std::string> paths;
  std::string format = "text";
  std::string code;
  bool check_only = false;
  bool explain_conformance = false;
  bool fields = false;
  std::string coverage;
  bool json = false;
};

Result<std::string> ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Error{fmt::format("cannot read {}", path)};
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Folders stand for the sources in them and below.
Result<std::vector<std::string>> SourcePaths(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> sources;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      sources.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (auto it = fs::recursive_directory_iterator(path, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (it->path().filename().string().starts_with('.')) {
        it.disable_recursion_pending();
      } else if (it->path().extension() == ".weir") {
        found.push_back(it->path().string());
      }
    }
    if (found.empty()) {
      return Error{fmt::format("{} holds no .weir source", path)};
    }
    std::sort(found.begin(), found.end());
    sources.insert(sources.end(), found.begin(), found.end());
  }
  return sources;
}

// One document for all sources: lists are joined, counts added.
void MergeReport(nlohmann::ordered_json one, nlohmann::ordered_json* all) {
  if (all->is_null()) {
    *all = std::move(one);
    return;
  }
  for (auto& [key, value] : one.items()) {
    nlohmann::ordered_json& into = (*all)[key];
    if (value.is_array()) {
      into.insert(into.end(), value.begin(), value.end());
    } else if (value.is_number()) {
      into = into.get<size_t>() + value.get<size_t>();
    }
  }
}

nlohmann::ordered_json Conformance(const check::Compilation& compilation) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& entry : compilation.conformance) {
    out.push_back({{"map", entry.map}, {"element", entry.element}, {"rule", entry.rule}, {"state", check::Words(entry.state)}, {"how", entry.how}});
  }
  return out;
}

int Check(const AuthorArgs& args) {
  if (!args.coverage.empty()) {
    check::CheckOptions options = MakeCheckOptions(args.source);
    return PrintCoverage(options.std_dir, options.registry_dir, args.json || args.format == "json");
  }
  if (args.paths.empty()) {
    return Fail("path is required");
  }
  auto paths = SourcePaths(args.paths);
  if (!paths) {
    return Fail(paths.error().message);
  }
  int worst = kFine;
  nlohmann::ordered_json report;
  for (const auto& path : *paths) {
    DiagnosticSink sink;
    auto compilation = check::Compile({path}, MakeCheckOptions(args.source), sink);
    auto sorted = sink.Sorted();
    if (args.json || args.format == "json") {
      auto one = nlohmann::ordered_json::parse(RenderJson(compilation->files, sorted));
      if (args.explain_conformance) {
        one["conformance"] = Conformance(*compilation);
      }
      MergeReport(std::move(one), &report);
    } else if (args.format == "sarif") {
      MergeReport(nlohmann::ordered_json::parse(RenderSarif(compilation->files, sorted, WEIR_VERSION)), &report);
    } else {
      std::cerr << RenderText(compilation->files, sorted, {.color = isatty(STDERR_FILENO) != 0, .max_line_columns = 160});
      if (!sink.has_errors()) {
        std::cout << fmt::format("{}: {} feed{}, {} map{}: compiles{}\n", path, compilation->module.feeds.size(),
                                 compilation->module.feeds.size() == 1 ? "" : "s", compilation->module.maps.size(),
                                 compilation->module.maps.size() == 1 ? "" : "s",
                                 sorted.empty() ? "" : fmt::format(", {} warnings", sorted.size()));
      }
    }
    if (args.fields) {
      for (const std::string& field : compilation->mapped_fields) {
        std::cout << field << '\n';
      }
    }
    if (args.explain_conformance && report.is_null()) {
      std::cout << check::RenderConformance(*compilation);
    }
    worst = sink.has_errors() ? kDoesNotCompile : worst;
  }
  if (!report.is_null()) {
    std::cout << report.dump() << '\n';
  }
  return worst;
}

int Fmt(const AuthorArgs& args) {
  auto paths = SourcePaths(args.paths);
  if (!paths) {
    return Fail(paths.error().message);
  }
  int result = kFine;
  for (const auto& path : *paths) {
    auto text = ReadText(path);
    if (!text) {
      return Fail(text.error().message);
    }
    SourceFiles files;
    FileId id = files.Add(path, *text);
    DiagnosticSink sink;
    syntax::ParseFile(files, id, {}, sink);
    if (sink.has_errors()) {
      std::cerr << RenderText(files, sink.Sorted());
      result = kDoesNotCompile;
      continue;
    }
    std::string formatted = syntax::Format(files[id], id);
    if (formatted == *text) {
      continue;
    }
    if (args.check_only) {
      std::cout << path << ": not formatted\n";
      result = result == kFine ? kFindings : result;
      continue;
    }
    // Through a second file, so that a full disk never leaves half a source.
    std::string temporary = path + ".weir-fmt";
    std::ofstream out(temporary, std::ios::binary);
    out << formatted;
    out.close();
    if (!out) {
      std::filesystem::remove(temporary);
      return Fail(fmt::format("cannot write {}", path));
    }
    std::filesystem::rename(temporary, path);
  }
  return result;
}

// `code` alone or after its class: `required`, `schema/required`.
bool Names(std::string_view asked, std::string_view error_class, std::string_view code) {
  return asked == code || (asked.ends_with(code) && asked.starts_with(error_class) &&
                           asked.size() == error_class.size() + 1 + code.size());
}

// Dead letters have codes too, and an operator asks for them in the same place.
std::string ExplainDeadLetter(std::string_view code) {
  struct Row {
    std::string_view error_class, code, title, explanation;
  };
  static constexpr Row kRows[] = {
#define WEIR_DEAD_LETTER(...) {__VA_ARGS__},
#include "runtime/hub/dead_letters.def"
#undef WEIR_DEAD_LETTER
  };
  for (const Row& row : kRows) {
    if (Names(code, row.error_class, row.code)) {
      return fmt::format("dead letter {}/{}: {}\n\n{}\n", row.error_class, row.code, row.title, row.explanation);
    }
  }
  return {};
}

std::string ExplainRefusal(std::string_view code) {
  struct Row {
    std::string_view code, title, explanation;
  };
  static constexpr Row kRows[] = {
#define WEIR_REFUSAL(name, ...) {__VA_ARGS__},
#include "runtime/package/refusals.def"
#undef WEIR_REFUSAL
  };
  const auto* row =
      std::ranges::find_if(kRows, [&](const Row& at) { return Names(code, "package", at.code); });
  return row == std::end(kRows)
             ? std::string()
             : fmt::format("package/{}: {}\n\n{}\n", row->code, row->title, row->explanation);
}

int ExplainCode(const AuthorArgs& args) {
  std::string text = Explain(args.code);
  if (text.empty()) {
    text = ExplainDeadLetter(args.code);
  }
  if (text.empty()) {
    text = ExplainRefusal(args.code);
  }
  if (text.empty()) {
    return Fail(fmt::format("no diagnostic has the code `{}`", args.code), kFindings);
  }
  std::cout << text;
  return kFine;
}

}  // namespace

void AddAuthorCommands(CLI::App& app, Action& action) {
  auto args = std::make_shared<AuthorArgs>();
  auto bind = [&action, args](CLI::App* command, int (*run)(const AuthorArgs&)) {
    command->callback([&action, args, run] { action = [args, run] { return run(*args); }; });
  };
  CLI::App* check = app.add_subcommand("check", "compile and report; writes nothing");
  check->add_option("path", args->paths, "sources");
  check->add_option("--coverage", args->coverage, "std: rows of HL7's v2-to-FHIR guide the standard library decides")
      ->check(CLI::IsMember({"std"}));
  check->add_flag("--json", args->json, "the same as --format json");
  check->add_option("--format", args->format, "text, json or sarif")->check(CLI::IsMember({"text", "json", "sarif"}));
  check->add_flag("--fields", args->fields, "the source fields that the maps read, one a line");
  check->add_flag("--explain-conformance", args->explain_conformance,
                  "per required element and rule of FHIR: proved, checked at run time (how), or error; must-support elements without a source");
  AddDirectoryOptions(*check, args->source);
  bind(check, Check);

  CLI::App* fmt_command = app.add_subcommand("fmt", "the one layout");
  fmt_command->add_option("path", args->paths, "sources")->required();
  fmt_command->add_flag("--check", args->check_only, "change nothing; exit 1 when a file is not formatted");
  bind(fmt_command, Fmt);

  CLI::App* explain = app.add_subcommand("explain", "what a code of a diagnostic, dead letter or refused package means and how it is mended");
  explain->add_option("code", args->code, "E0504, or a dead letter's code as `required`")->required();
  bind(explain, ExplainCode);
}

}  // namespace weir::driver
