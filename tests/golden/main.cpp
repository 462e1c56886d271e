// weir-golden [--update] PATH…: runs the front end over golden files (folders are
// searched for .weir) and compares what it says. Files below a folder named `syntax` stop after the
// parser.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"
#include "tests/golden/golden.h"
#ifdef WEIR_GOLDEN_CHECK
#include "compiler/check/check.h"
#endif

namespace weir::golden {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  std::vector<Expectation> actual;
  std::string rendered;
  std::vector<std::string> conformance;
};

[[maybe_unused]] bool Below(const fs::path& path, std::string_view folder) {
  return std::any_of(path.begin(), path.end(),
                     [&](const fs::path& part) { return part == folder; });
}

#ifdef WEIR_GOLDEN_CHECK
// The whole front end. What it says about other files (std, say) is an unexpected diagnostic of
// this one.
Outcome RunCheck(const fs::path& path) {
  DiagnosticSink sink;
  check::CheckOptions options;
  options.std_dir = WEIR_SOURCE_DIR "/dsl/std";
  options.registry_dir = WEIR_SOURCE_DIR "/contracts/registry";
  auto compilation = check::Compile({path.string()}, options, sink);
  std::vector<Diagnostic> diagnostics = sink.Sorted();
  Outcome outcome{{}, RenderText(compilation->files, diagnostics), {}};
  if (Below(path, "conformance")) {
    std::istringstream lines(check::RenderConformance(*compilation));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string joined;
      for (std::string word; words >> word;) {
        joined += (joined.empty() ? "" : " ") + word;
      }
      outcome.conformance.push_back(std::move(joined));
    }
  }
  for (const Diagnostic& diagnostic : diagnostics) {
    bool here = !diagnostic.span.valid() ||
                compilation->files[diagnostic.span.file].path() == path.string();
    const SourceFile& file =
        compilation->files[diagnostic.span.valid() ? diagnostic.span.file : FileId{0}];
    Expectation e = Describe(file, {diagnostic})[0];
    if (!here) {
      e.message += " (in " + file.path() + ")";
    }
    outcome.actual.push_back(std::move(e));
  }
  return outcome;
}
#endif

Outcome RunFile(const fs::path& path, const std::string& text) {
#ifdef WEIR_GOLDEN_CHECK
  if (!Below(path, "syntax")) {
    return RunCheck(path);
  }
#endif
  SourceFiles files;
  DiagnosticSink sink;
  FileId id = files.Add(path.string(), text);
  syntax::ParseFile(files, id, {}, sink);
  std::vector<Diagnostic> diagnostics = sink.Sorted();
  return {Describe(files[id], diagnostics), RenderText(files, diagnostics), {}};
}

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// One file's verdict; differences go to stdout as a small diff.
bool Check(const fs::path& path, bool update) {
  std::string text = Read(path);
  std::vector<Expectation> expected = ReadExpectations(text);
  Outcome outcome = RunFile(path, text);
  bool fails = std::any_of(outcome.actual.begin(), outcome.actual.end(),
                           [](const Expectation& e) { return e.severity == Severity::kError; });
  std::string name = path.filename().string();
  bool named = name.starts_with("fail_") || name.starts_with("mistake_");
  auto by_place = [](const Expectation& a, const Expectation& b) {
    return std::tie(a.line, a.first_column, a.code, a.message) <
           std::tie(b.line, b.first_column, b.code, b.message);
  };
  std::sort(expected.begin(), expected.end(), by_place);
  std::sort(outcome.actual.begin(), outcome.actual.end(), by_place);
  if (update && expected != outcome.actual) {
    std::ofstream(path, std::ios::binary) << Rewrite(text, outcome.actual);
    std::cout << path.string() << ": rewritten, read the difference\n" << outcome.rendered;
    return fails == named;
  }
  std::vector<std::string> conforms = ReadConformance(text);
  if (update && conforms != outcome.conformance) {
    std::ofstream(path, std::ios::binary) << RewriteConformance(text, outcome.conformance);
    std::cout << path.string() << ": rewritten, read the difference\n";
    return fails == named;
  }
  bool good = conforms == outcome.conformance;
  for (size_t i = 0; i < std::max(conforms.size(), outcome.conformance.size()) && !good; ++i) {
    std::string was = i < conforms.size() ? conforms[i] : "", is = i < outcome.conformance.size() ? outcome.conformance[i] : "";
    if (was != is) {
      std::cout << path.string() << ": conformance, from line " << i + 1 << " of the list\n- " << was << "\n+ " << is << "\n";
      break;
    }
  }
  auto missing = [&](const std::vector<Expectation>& from, const std::vector<Expectation>& in,
                     const char* sign) {
    for (const Expectation& e : from) {
      if (std::find(in.begin(), in.end(), e) == in.end()) {
        std::cout << sign << " " << path.string() << ":" << e.line << ": " << e.Format(e.line)
                  << "\n";
        good = false;
      }
    }
  };
  missing(expected, outcome.actual, "-");
  missing(outcome.actual, expected, "+");
  if (fails != named) {
    std::cout << path.string() << ": `fail_` or `mistake_` in the name and an error belong together\n";
    good = false;
  }
  if (!good) {
    std::cout << outcome.rendered;
  }
  return good;
}

int Main(int argc, char** argv) {
  bool update = false;
  std::vector<fs::path> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--update") == 0) {
      update = true;
    } else if (fs::is_directory(argv[i])) {
      for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
        if (entry.path().extension() == ".weir") {
          paths.push_back(entry.path());
        }
      }
    } else {
      paths.emplace_back(argv[i]);
    }
  }
  std::sort(paths.begin(), paths.end());
  size_t bad = 0;
  for (const fs::path& path : paths) {
    bad += Check(path, update) ? 0 : 1;
  }
  std::cout << paths.size() - bad << " of " << paths.size() << " golden files agree\n";
  return bad == 0 && !paths.empty() ? 0 : 1;
}

}  // namespace
}  // namespace weir::golden

int main(int argc, char** argv) { return weir::golden::Main(argc, argv); }
