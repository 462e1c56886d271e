#include "tests/golden/golden.h"

#include <algorithm>
#include <regex>
#include <sstream>

namespace weir::golden {
namespace {

constexpr std::string_view kConforms = "// CHECK-CONFORMS: ";

bool IsExpectation(std::string_view line) {
  size_t start = line.find_first_not_of(" \t");
  return start != std::string_view::npos && line.substr(start).starts_with("// CHECK-") &&
         !line.substr(start).starts_with(kConforms);
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::string Expectation::Format(uint32_t from_line) const {
  std::string out = severity == Severity::kError ? "// CHECK-ERROR: " : "// CHECK-WARNING: ";
  int distance = static_cast<int>(line) - static_cast<int>(from_line);
  out += "[[@" + std::string(distance < 0 ? "" : "+") + std::to_string(distance) +
         "]]:" + std::to_string(first_column) + "-" + std::to_string(last_column) + " " + code +
         " " + message;
  return help.empty() ? out : out + "\n// CHECK-HELP: " + help;
}

std::vector<Expectation> ReadExpectations(std::string_view text) {
  static const std::regex kCheck(
      R"(\s*// CHECK-(ERROR|WARNING): \[\[@([+-]\d+)\]\]:(\d+)-(\d+) (\w+) (.*))");
  static const std::regex kHelp(R"(\s*// CHECK-HELP: (.*))");
  std::vector<Expectation> expectations;
  std::vector<std::string> lines = Lines(text);
  for (uint32_t i = 0; i < lines.size(); ++i) {
    std::smatch m;
    if (std::regex_match(lines[i], m, kCheck)) {
      expectations.push_back({m[1] == "ERROR" ? Severity::kError : Severity::kWarning,
                              static_cast<uint32_t>(static_cast<int>(i + 1) + std::stoi(m[2])),
                              static_cast<uint32_t>(std::stoul(m[3])),
                              static_cast<uint32_t>(std::stoul(m[4])), m[5], m[6], ""});
    } else if (std::regex_match(lines[i], m, kHelp) && !expectations.empty()) {
      expectations.back().help = m[1];
    } else if (IsExpectation(lines[i])) {
      expectations.push_back(
          {Severity::kError, i + 1, 0, 0, "?", "this expectation cannot be read: " + lines[i], ""});
    }
  }
  return expectations;
}

std::vector<Expectation> Describe(const SourceFile& file,
                                  const std::vector<Diagnostic>& diagnostics) {
  std::vector<Expectation> out;
  for (const Diagnostic& d : diagnostics) {
    const DiagnosticInfo& info = InfoOf(d.kind);
    Expectation e{info.severity, 1, 1, 1, std::string(info.code), d.message, d.help};
    if (d.span.valid()) {
      LineColumn begin = file.Locate(d.span.begin);
      LineColumn end = file.Locate(d.span.end);
      e.line = begin.line;
      e.first_column = begin.column;
      // The caret's line only, and at least one column.
      uint32_t last = end.line == begin.line ? end.column - 1
                                             : static_cast<uint32_t>(file.Line(begin.line).size());
      e.last_column = std::max(begin.column, last);
    }
    out.push_back(std::move(e));
  }
  return out;
}

std::vector<std::string> ReadConformance(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string& line : Lines(text)) {
    if (line.starts_with(kConforms)) {
      out.push_back(line.substr(kConforms.size()));
    }
  }
  return out;
}

std::string RewriteConformance(std::string_view text, const std::vector<std::string>& actual) {
  std::string out;
  for (const std::string& line : Lines(text)) {
    out += line.starts_with(kConforms) ? "" : line + "\n";
  }
  for (const std::string& line : actual) {
    out += std::string(kConforms) + line + "\n";
  }
  return out;
}

std::string Rewrite(std::string_view text, const std::vector<Expectation>& actual) {
  std::string out;
  uint32_t old_line = 0;
  uint32_t new_line = 0;
  for (const std::string& line : Lines(text)) {
    ++old_line;
    if (IsExpectation(line)) {
      continue;
    }
    // Written from the last to the first line above, so that distances can be counted.
    std::vector<Expectation> here;
    std::copy_if(actual.begin(), actual.end(), std::back_inserter(here),
                 [&](const Expectation& e) { return e.line == old_line; });
    uint32_t checks = 0;
    for (const Expectation& e : here) {
      checks += e.help.empty() ? 1 : 2;
    }
    uint32_t target = new_line + checks + 1;
    for (Expectation e : here) {
      e.line = target;
      out += e.Format(new_line + 1) + "\n";
      new_line += e.help.empty() ? 1 : 2;
    }
    out += line + "\n";
    ++new_line;
  }
  return out;
}

}  // namespace weir::golden
