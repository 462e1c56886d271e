#include "compiler/diag/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace weir {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kReset = "\033[0m";
constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kRed = "\033[1;31m";
constexpr std::string_view kYellow = "\033[1;33m";
constexpr std::string_view kBlue = "\033[1;34m";

std::string_view Word(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

// One place per code point; combining and wide characters are rare in sources and cost only a
// shifted caret.
uint32_t DisplayWidth(std::string_view text) {
  return static_cast<uint32_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Plain(std::string_view line) {
  std::string plain(line);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20) {
      c = ' ';  // tabs too: the caret below counts one column for each
    }
  }
  return plain;
}

class TextRenderer {
 public:
  TextRenderer(const SourceFiles& files, const RenderOptions& options)
      : files_(files), options_(options) {}

  void Add(const Diagnostic& diagnostic) {
    const DiagnosticInfo& info = InfoOf(diagnostic.kind);
    std::string_view color = info.severity == Severity::kError ? kRed : kYellow;
    if (!out_.str().empty()) {
      out_ << '\n';
    }
    Paint(color, std::string(Word(info.severity)) + "[" + std::string(info.code) + "]");
    Paint(kBold, ": " + diagnostic.message);
    out_ << '\n';
    if (diagnostic.span.valid()) {
      Snippet(diagnostic.span, color, diagnostic.label);
    }
    for (const DiagnosticNote& note : diagnostic.notes) {
      Paint(kBold, "note");
      out_ << ": " << note.message << '\n';
      if (note.span.valid()) {
        Snippet(note.span, kBlue, "");
      }
    }
    if (!diagnostic.help.empty()) {
      Paint(kBold, "help");
      out_ << ": " << diagnostic.help << '\n';
    }
    out_ << "details: weir explain " << info.code << '\n';
  }

  std::string Take() { return out_.str(); }

 private:
  void Paint(std::string_view color, std::string_view text) {
    out_ << (options_.color ? color : "") << text << (options_.color ? kReset : "");
  }

  void Snippet(Span span, std::string_view color, const std::string& label) {
    const SourceFile& file = files_[span.file];
    LineColumn at = file.Locate(span.begin);
    std::string_view line = file.Line(at.line);
    std::string number = std::to_string(at.line);
    std::string_view before = line.substr(0, at.column - 1);
    // A range over several lines is marked up to the end of its first.
    std::string_view marked = line.substr(before.size(), span.end - span.begin);
    uint32_t caret_column = DisplayWidth(before);
    uint32_t carets = std::max(1u, DisplayWidth(marked));
    std::string shown = Plain(line);
    Shorten(shown, before.size(), caret_column, carets);
    Paint(kBlue, std::string(number.size(), ' ') + "--> ");
    out_ << file.path() << ':' << at.line << ':' << at.column << '\n';
    Paint(kBlue, number + " | ");
    out_ << shown << '\n';
    Paint(kBlue, std::string(number.size(), ' ') + " | ");
    out_ << std::string(caret_column, ' ');
    Paint(color, std::string(carets, '^') + (label.empty() ? "" : " " + label));
    out_ << '\n';
  }

  // Cuts a long line to a window around the caret, at code point borders.
  void Shorten(std::string& line, size_t caret_byte, uint32_t& caret_column,
               uint32_t& carets) const {
    if (DisplayWidth(line) <= options_.max_line_columns) {
      return;
    }
    size_t start =
        caret_byte > options_.max_line_columns / 2 ? caret_byte - options_.max_line_columns / 2 : 0;
    size_t end = std::min(line.size(), start + options_.max_line_columns);
    auto inside = [&](size_t i) { return i < line.size() && (line[i] & 0xC0) == 0x80; };
    while (start > 0 && inside(start)) {
      --start;
    }
    while (inside(end)) {
      ++end;
    }
    std::string cut =
        (start > 0 ? "…" : "") + line.substr(start, end - start) + (end < line.size() ? "…" : "");
    caret_column = DisplayWidth(std::string_view(line).substr(start, caret_byte - start)) +
                   (start > 0 ? 1 : 0);
    carets = std::min(carets, std::max(1u, DisplayWidth(cut) - caret_column));
    line = std::move(cut);
  }

  const SourceFiles& files_;
  RenderOptions options_;
  std::ostringstream out_;
};

Json Place(const SourceFiles& files, Span span) {
  const SourceFile& file = files[span.file];
  LineColumn begin = file.Locate(span.begin);
  LineColumn end = file.Locate(span.end);
  return {{"path", file.path()},
          {"line", begin.line},
          {"column", begin.column},
          {"end_line", end.line},
          {"end_column", end.column}};
}

Json SarifLocation(const SourceFiles& files, Span span) {
  Json place = Place(files, span);
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", place["path"]}}},
            {"region",
             {{"startLine", place["line"]},
              {"startColumn", place["column"]},
              {"endLine", place["end_line"]},
              {"endColumn", place["end_column"]}}}}}};
}

// Source text may be broken UTF-8 (E0113 says so); a renderer must not throw over it.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string RenderText(const SourceFiles& files, const std::vector<Diagnostic>& diagnostics,
                       const RenderOptions& options) {
  TextRenderer renderer(files, options);
  for (const Diagnostic& diagnostic : diagnostics) {
    renderer.Add(diagnostic);
  }
  return renderer.Take();
}

std::string RenderJson(const SourceFiles& files, const std::vector<Diagnostic>& diagnostics) {
  Json list = Json::array();
  size_t errors = 0;
  for (const Diagnostic& diagnostic : diagnostics) {
    const DiagnosticInfo& info = InfoOf(diagnostic.kind);
    errors += info.severity == Severity::kError;
    Json json = {
        {"code", info.code}, {"severity", Word(info.severity)}, {"message", diagnostic.message}};
    if (!diagnostic.help.empty()) {
      json["help"] = diagnostic.help;
    }
    if (diagnostic.span.valid()) {
      json.update(Place(files, diagnostic.span));
    }
    json["notes"] = Json::array();
    for (const DiagnosticNote& note : diagnostic.notes) {
      Json entry = {{"message", note.message}};
      if (note.span.valid()) {
        entry.update(Place(files, note.span));
      }
      json["notes"].push_back(std::move(entry));
    }
    list.push_back(std::move(json));
  }
  size_t warnings = diagnostics.size() - errors;
  return Dump({{"diagnostics", std::move(list)}, {"errors", errors}, {"warnings", warnings}});
}

std::string RenderSarif(const SourceFiles& files, const std::vector<Diagnostic>& diagnostics,
                        std::string_view tool_version) {
  Json results = Json::array();
  std::set<DiagnosticKind> used;
  for (const Diagnostic& diagnostic : diagnostics) {
    const DiagnosticInfo& info = InfoOf(diagnostic.kind);
    used.insert(diagnostic.kind);
    std::string text = diagnostic.message + (diagnostic.help.empty() ? "" : "; " + diagnostic.help);
    Json result = {
        {"ruleId", info.code}, {"level", Word(info.severity)}, {"message", {{"text", text}}}};
    if (diagnostic.span.valid()) {
      result["locations"] = Json::array({SarifLocation(files, diagnostic.span)});
    }
    Json related = Json::array();
    for (const DiagnosticNote& note : diagnostic.notes) {
      if (note.span.valid()) {
        Json location = SarifLocation(files, note.span);
        location["message"] = {{"text", note.message}};
        related.push_back(std::move(location));
      }
    }
    if (!related.empty()) {
      result["relatedLocations"] = std::move(related);
    }
    results.push_back(std::move(result));
  }
  Json rules = Json::array();
  for (DiagnosticKind kind : used) {
    const DiagnosticInfo& info = InfoOf(kind);
    rules.push_back({{"id", info.code},
                     {"shortDescription", {{"text", info.title}}},
                     {"fullDescription", {{"text", info.explanation}}}});
  }
  Json driver = {{"name", "weir"}, {"version", tool_version}, {"rules", std::move(rules)}};
  Json run = {{"tool", {{"driver", std::move(driver)}}}, {"results", std::move(results)}};
  return Dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({std::move(run)})}});
}

std::string Explain(std::string_view code) {
  std::optional<DiagnosticInfo> info = FindDiagnosticKind(code);
  if (!info) {
    return "";
  }
  std::string out = std::string(info->code) + ": " + std::string(info->title) + "\n\n";
  std::istringstream words{std::string(info->explanation)};
  std::string word;
  size_t column = 0;
  while (words >> word) {
    if (column > 0 && column + 1 + word.size() > 80) {
      out += '\n';
      column = 0;
    }
    if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

}  // namespace weir
