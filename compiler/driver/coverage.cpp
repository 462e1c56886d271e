#include "compiler/driver/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "compiler/driver/cli.h"
#include "compiler/syntax/parse.h"

namespace weir::driver {
namespace {

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(by, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  size_t from = text.find_first_not_of(' ');
  return from == std::string_view::npos ? std::string_view() : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

// `*` stands for anything.
bool Fits(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern[0] == '*') {
    return Fits(pattern.substr(1), text) || (!text.empty() && Fits(pattern, text.substr(1)));
  }
  return !text.empty() && pattern[0] == text[0] && Fits(pattern.substr(1), text.substr(1));
}

// `participant[1].individual(Practitioner)` -> participant, individual. What lies beyond a reference stays a step, so
// that `sender(Organization.address)` is not taken for `sender`.
std::vector<std::string> Steps(std::string_view target) {
  std::vector<std::string> steps(1);
  bool index = false, type = false;
  for (char c : target.substr(0, target.find('='))) {
    if (c == '[' || c == ']') {
      index = c == '[';
    } else if (c == '(') {
      type = true;  // the type's own name is no step
    } else if (c == '.') {
      steps.emplace_back();
      type = false;
    } else if (c != ')' && c != ' ' && !index && !type) {
      steps.back() += c;
    }
  }
  std::erase(steps, "");
  if (steps.size() > 1 && steps.back() == "url" && steps[steps.size() - 2] == "extension") {
    steps.pop_back();  // the slice's name says it
  }
  if (steps.size() > 1 && steps.back() == "reference") {
    steps.pop_back();  // what `->` writes
  }
  return steps;
}

bool WritesTarget(const std::vector<std::string>& wanted, const WrittenElement& written, const CoverageRow& row) {
  size_t common = std::min(wanted.size(), written.target.size());
  for (size_t i = 0; i < common; ++i) {
    bool choice = written.target[i] == "value" && wanted[i].starts_with("value");
    if (wanted[i] != written.target[i] && !choice) {
      return false;
    }
  }
  if (wanted.size() <= written.target.size()) {  // an extension of an element is not the element
    return wanted.size() == written.target.size() || written.target[common] != "extension" || wanted.back() == "extension";
  }
  // A data type's map or a table writes what is below, but no extension; of the guide's constants a table writes a coding's.
  static const std::set<std::string> kOfTable = {"coding", "code", "system", "display", "text"};
  return written.deep && std::all_of(wanted.begin() + static_cast<ptrdiff_t>(common), wanted.end(), [&](const std::string& step) {
    return step != "extension" && (!row.constant || (written.by_table && kOfTable.contains(step)));
  });
}

bool ReadsSource(const CoverageSheet& sheet, const CoverageRow& row, const WrittenElement& written) {
  if (row.constant && written.always) {
    return true;
  }
  std::string source = row.source;
  if (sheet.kind == 'D') {
    size_t dot = source.find('.');
    source = dot == std::string::npos ? "$this" : source.substr(dot);
  } else if (source.find('-') == std::string::npos) {
    return true;  // the whole segment
  }
  // A primitive's only component is itself.
  static const std::set<std::string_view> kPrimitives = {"DT", "DTM", "FT", "ID", "IS", "NM", "SI", "ST", "TM", "TS", "TX"};
  bool primitive = source == ".1" && kPrimitives.contains(std::string_view(sheet.name).substr(0, sheet.name.find('[')));
  return std::ranges::any_of(written.sources, [&](const std::string& from) {
    return from == source || from.starts_with(source + ".") || (primitive && from == "$this");
  });
}

struct Library {
  SourceFiles files;
  std::vector<std::unique_ptr<ast::File>> trees;
  Declarations declarations;
};

class Decider {
 public:
  Decider(const std::vector<LibraryFile>& library, Coverage& coverage) : coverage_(coverage) {
    for (auto& sheet : coverage.sheets) {
      sheets_[sheet.name] = &sheet;
    }
    for (const auto& file : library) {
      FileId id = library_.files.Add(file.path, file.text);
      DiagnosticSink sink;
      library_.trees.push_back(syntax::ParseFile(library_.files, id, {}, sink));
      if (sink.has_errors()) {
        coverage.faults.push_back(file.path + ": does not parse");
      }
    }
    for (const auto& tree : library_.trees) {
      for (const auto& decl : tree->declarations) {
        library_.declarations[NameInLibrary(*decl)] = {decl.get(), &library_.files[tree->id]};
      }
    }
  }

  void Run() {
    for (const auto& tree : library_.trees) {
      File(*tree, library_.files[tree->id]);
    }
    for (const auto& decision : general_) {
      Apply(decision);
    }
    Messages();
  }

 private:
  // `//@map` lines that follow each other open a block; it holds until a blank line, or the declaration below it.
  void File(const ast::File& tree, const SourceFile& file) {
    std::map<uint32_t, const ast::Decl*> starts;
    for (const auto& decl : tree.declarations) {
      starts[file.Locate(decl->span.begin).line] = decl.get();
    }
    bool open = false;
    block_.clear();
    for (uint32_t number = 1; number <= file.line_count(); ++number) {
      std::string_view line = Trim(file.Line(number));
      if (line.starts_with("//@map ")) {
        if (!open) {
          block_.clear();
        }
        open = true;
        Mark(line.substr(7));
      } else if (line.starts_with("//@row ")) {
        open = false;
        Row(line.substr(7), fmt::format("{}:{}", file.path(), number));
      } else if (line.starts_with("//@general ")) {
        General(line.substr(11), fmt::format("{}:{}", file.path(), number));
      } else if (auto decl = starts.find(number); decl != starts.end()) {
        Declaration(*decl->second, file);
        block_.clear();
        open = false;
      } else if (line.empty()) {
        block_.clear();
        open = false;
      }
    }
  }

  // `A[X] B[Y]` or `A[X] B[Y] : decision`, for sheets that the language itself carries out.
  void Mark(std::string_view text) {
    size_t colon = text.find(" : ");
    for (std::string_view name : Split(text.substr(0, colon), ' ')) {
      auto found = sheets_.find(std::string(name));
      if (found == sheets_.end()) {
        continue;  // of another message than the seven
      }
      block_.push_back(found->second);
      if (colon != std::string_view::npos) {
        found->second->left_out = true;
        for (auto& row : found->second->rows) {
          Words(row);
        }
      }
    }
  }

  static void Words(CoverageRow& row) {
    if (row.state == RowState::kUndecided) {
      row.state = RowState::kWords;
    }
  }

  // `KIND SOURCE TARGET: decision`, for every sheet of a kind.
  void General(std::string_view text, const std::string& place) {
    std::vector<CoverageSheet*> block;
    for (auto& sheet : coverage_.sheets) {
      if (!text.empty() && sheet.kind == text[0]) {
        block.push_back(&sheet);
      }
    }
    std::swap(block, block_);
    Row(Trim(text.substr(std::min<size_t>(1, text.size()))), place);
    std::swap(block, block_);
  }

  // `SOURCE TARGET: decision`; `*` in either fits anything, the source `-` a row without one.
  void Row(std::string_view text, const std::string& place) {
    size_t blank = text.find(' ');
    size_t colon = text.find(": ");
    if (blank == std::string_view::npos || colon == std::string_view::npos || colon < blank) {
      coverage_.faults.push_back(place + ": `//@row SOURCE TARGET: decision`");
      return;
    }
    std::string_view source = text.substr(0, blank), target = Trim(text.substr(blank + 1, colon - blank - 1));
    Decision decision{.sheets = block_, .source = std::string(source), .target = std::string(target), .place = place};
    bool whole = text.substr(0, colon).find('*') != std::string_view::npos;
    whole ? general_.push_back(std::move(decision)) : Apply(decision);
  }

  struct Decision {
    std::vector<CoverageSheet*> sheets;
    std::string source, target, place;
  };

  // Named rows are decided in words even where a line looks as if it wrote them; general decisions take what is left.
  void Apply(const Decision& decision) {
    bool fits = decision.sheets.empty(), news = decision.sheets.empty();
    for (CoverageSheet* sheet : decision.sheets) {
      sheet->left_out |= decision.source == "*" && decision.target == "*";
      fits |= sheet->rows.empty();  // nothing is mapped anyway
      news |= sheet->rows.empty();
      for (auto& row : sheet->rows) {
        if (Fits(decision.source == "-" ? "" : decision.source, row.source) && Fits(decision.target, row.target)) {
          news |= row.state == RowState::kUndecided;
          Words(row);
          fits = true;
        }
      }
    }
    if (!fits) {
      coverage_.faults.push_back(fmt::format("{}: no row `{} {}` in the sheet", decision.place, decision.source, decision.target));
    } else if (!news) {
      coverage_.faults.push_back(fmt::format("{}: `{} {}` is decided twice", decision.place, decision.source, decision.target));
    }
  }

  void Declaration(const ast::Decl& decl, const SourceFile& file) {
    if (block_.empty()) {
      return;
    }
    const auto* table = ast::As<ast::TableDecl>(decl);
    auto written = WrittenBy(decl, file, library_.declarations);
    for (CoverageSheet* sheet : block_) {
      sheet->mapped = true;
      for (auto& row : sheet->rows) {
        bool decided = table != nullptr ? HasRow(*table, row) : Written(*sheet, row, written);
        if (decided && row.state == RowState::kUndecided) {
          row.state = RowState::kLine;
        }
      }
    }
  }

  static bool HasRow(const ast::TableDecl& table, const CoverageRow& row) {
    return std::ranges::any_of(table.rows, [&](const ast::TableRow& line) {
      return line.target.text == row.target &&
             std::ranges::any_of(line.sources, [&](const ast::Name& code) { return code.text == row.source; });
    });
  }

  static bool Written(const CoverageSheet& sheet, const CoverageRow& row, const std::vector<WrittenElement>& lines) {
    auto wanted = Steps(row.target);
    return std::ranges::any_of(lines, [&](const WrittenElement& line) {
      return (line.target.empty() || WritesTarget(wanted, line, row)) && ReadsSource(sheet, row, line);
    });
  }

  // A message's row says which segment sheet makes which resource; feeds bind them, so the sheet decides the row.
  void Messages() {
    for (auto& sheet : coverage_.sheets) {
      for (auto& row : sheet.rows) {
        if (sheet.kind != 'M' || row.calls.empty()) {
          continue;
        }
        const CoverageSheet& called = *sheets_.at(row.calls[0]);
        if (called.mapped) {
          row.state = RowState::kLine;
        } else if (called.left_out) {
          Words(row);
        }
      }
    }
  }

  Coverage& coverage_;
  std::map<std::string, CoverageSheet*> sheets_;
  Library library_;
  std::vector<CoverageSheet*> block_;
  std::vector<Decision> general_;
};

struct Count {
  size_t total = 0, lines = 0, words = 0;
  size_t decided() const { return lines + words; }
  void Add(const CoverageSheet& sheet) {
    for (const auto& row : sheet.rows) {
      ++total;
      lines += row.state == RowState::kLine ? 1 : 0;
      words += row.state == RowState::kWords ? 1 : 0;
    }
  }
};

nlohmann::json ToJson(const Count& count) {
  return {{"rows", count.total}, {"decided", count.decided()}, {"byLine", count.lines}, {"inWords", count.words}};
}

Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return in ? Result<std::string>(text.str()) : Result<std::string>(Error{"cannot read " + path});
}

constexpr const char* kKindNames[] = {"messages", "segments", "dataTypes", "tables"};
size_t KindIndex(char kind) { return std::string_view("MSDT").find(kind); }

}  // namespace

Result<Coverage> ReadCoverageRows(std::string_view rows) {
  Coverage out;
  for (std::string_view line : Split(rows, '\n')) {
    auto cells = Split(line, '\t');
    if (line.empty()) {
      continue;
    }
    if (!cells[0].empty()) {
      if (cells.size() != 3 || cells[0].size() != 1 || KindIndex(cells[0][0]) > 3) {
        return Error{"v2-to-fhir.rows: not a sheet: " + std::string(line)};
      }
      CoverageSheet& sheet = out.sheets.emplace_back();
      sheet.kind = cells[0][0];
      sheet.name = cells[1];
      std::from_chars(cells[2].data(), cells[2].data() + cells[2].size(), sheet.untargeted);
      continue;
    }
    if (cells.size() < 3 || out.sheets.empty()) {
      return Error{"v2-to-fhir.rows: not a row: " + std::string(line)};
    }
    CoverageRow row;
    row.source = cells[1];
    row.target = cells[2];
    row.constant = cells.size() > 4 && cells[4] == "=";
    if (cells.size() > 5) {
      for (std::string_view called : Split(cells[5], ',')) {
        row.calls.emplace_back(called);
      }
    }
    out.sheets.back().rows.push_back(std::move(row));
  }
  return out;
}

void Decide(const std::vector<LibraryFile>& library, Coverage& coverage) { Decider(library, coverage).Run(); }

int PrintCoverage(const std::string& std_dir, const std::string& registry_dir, bool json) {
  auto rows = ReadWhole(registry_dir + "/v2-to-fhir.rows");
  auto coverage = rows ? ReadCoverageRows(*rows) : Result<Coverage>(rows.error());
  if (!coverage) {
    return Fail(coverage.error().message);
  }
  std::vector<LibraryFile> library;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(std_dir + "/v2", failed)) {
    if (entry.path().extension() == ".weir") {
      auto text = ReadWhole(entry.path().string());
      if (!text) {
        return Fail(text.error().message);
      }
      library.push_back({.path = entry.path().string(), .text = std::move(*text)});
    }
  }
  if (library.empty()) {
    return Fail(std_dir + "/v2 holds no library");
  }
  std::ranges::sort(library, {}, &LibraryFile::path);
  Decide(library, *coverage);

  std::map<std::string, const CoverageSheet*> by_name;
  for (const auto& sheet : coverage->sheets) {
    by_name[sheet.name] = &sheet;
  }
  bool all = coverage->faults.empty();
  nlohmann::json document = {{"maps", nlohmann::json::array()}, {"sheets", nlohmann::json::array()}, {"faults", coverage->faults}};
  std::string text;
  for (const auto& map : coverage->sheets) {
    if (map.kind != 'M') {
      continue;
    }
    Count counts[4];
    std::set<std::string> reached;
    std::function<void(const CoverageSheet&)> reach = [&](const CoverageSheet& sheet) {
      if (reached.insert(sheet.name).second) {
        counts[KindIndex(sheet.kind)].Add(sheet);
        for (const auto& row : sheet.rows) {
          for (const auto& called : row.calls) {
            reach(*by_name.at(called));
          }
        }
      }
    };
    reach(map);
    nlohmann::json object = {{"map", map.name}};
    text += fmt::format("{:<8}", map.name);
    for (size_t kind = 0; kind < 4; ++kind) {
      object[kKindNames[kind]] = ToJson(counts[kind]);
      text += fmt::format("  {} {}/{}", kind == 2 ? "data types" : kKindNames[kind], counts[kind].decided(), counts[kind].total);
    }
    text += '\n';
    document["maps"].push_back(std::move(object));
  }
  document["own"] = {"ADT_A03", "ADT_A40"};
  text += "ADT_A03 and ADT_A40 are not in the guide: what std.v2 does with them is its own\n";
  text += fmt::format("\n{:<52} {:>9} {:>8} {:>8} {:>10}\n", "sheet", "decided", "by line", "in words", "no target");
  for (const auto& sheet : coverage->sheets) {
    Count count;
    count.Add(sheet);
    nlohmann::json object = ToJson(count);
    object["sheet"] = sheet.name;
    object["kind"] = kKindNames[KindIndex(sheet.kind)];
    object["noTarget"] = sheet.untargeted;
    object["undecided"] = nlohmann::json::array();
    text += fmt::format("{:<52} {:>9} {:>8} {:>8} {:>10}\n", sheet.name, fmt::format("{}/{}", count.decided(), count.total), count.lines,
                        count.words, sheet.untargeted);
    for (const auto& row : sheet.rows) {
      if (row.state == RowState::kUndecided) {
        object["undecided"].push_back({{"source", row.source}, {"target", row.target}});
        text += fmt::format("    undecided: {} {}\n", row.source, row.target);
        all = false;
      }
    }
    document["sheets"].push_back(std::move(object));
  }
  for (const auto& fault : coverage->faults) {
    std::cerr << "weir: " << fault << '\n';
  }
  document["complete"] = all;
  std::cout << (json ? document.dump() + "\n" : text);
  return all ? kFine : kFindings;
}

}  // namespace weir::driver
