#include "compiler/fhir/guide.h"

#include <algorithm>

namespace weir::fhir {
namespace {

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

// "address[1].line[1-3]" -> "address.line"
std::string WithoutIndices(std::string_view target) {
  std::string out;
  bool inside = false;
  for (char c : target) {
    inside = c == '[' || (inside && c != ']');
    if (!inside && c != ']') {
      out += c;
    }
  }
  return out.starts_with('.') ? out.substr(1) : out;  // "[1].given[2]" of a data type
}

// "PID[Patient]" -> "Patient", "ROL[Patient-GeneralPractitioner]" too
std::string_view TargetOf(std::string_view sheet) {
  size_t open = sheet.find('[');
  if (open == std::string_view::npos) {
    return {};
  }
  std::string_view inside = sheet.substr(open + 1, sheet.size() - open - 2);
  return inside.substr(0, inside.find('-'));
}

}  // namespace

GuideSources::GuideSources(std::string_view rows) {
  std::vector<Row>* sheet = nullptr;
  for (std::string_view line : Split(rows, '\n')) {
    auto cells = Split(line, '\t');
    if (cells.size() >= 2 && !cells[0].empty()) {
      sheet = cells[0] == "S"   ? &segments_[std::string(TargetOf(cells[1]))]
              : cells[0] == "D" ? &data_types_[std::string(cells[1])]
                                : nullptr;
      continue;
    }
    if (sheet == nullptr || cells.size() < 3 || cells[1].empty() ||
        (cells.size() > 4 && cells[4] == "=")) {
      continue;  // constants have no source
    }
    Row row{.source = std::string(cells[1]), .target = WithoutIndices(cells[2]), .calls = {}};
    for (std::string_view called :
         cells.size() > 5 ? Split(cells[5], ',') : std::vector<std::string_view>()) {
      row.calls.emplace_back(called);
    }
    sheet->push_back(std::move(row));
  }
}

std::vector<std::string> GuideSources::Of(std::string_view type, std::string_view path) const {
  std::vector<std::string> out;
  auto add = [&](std::string source) {
    if (std::find(out.begin(), out.end(), source) == out.end()) {
      out.push_back(std::move(source));
    }
  };
  auto rows = segments_.find(type);
  if (rows == segments_.end()) {
    return out;
  }
  for (const Row& row : rows->second) {
    if (row.target == path) {
      add(row.source);
    }
    if (!path.starts_with(row.target + ".")) {
      continue;
    }
    std::string_view rest = path.substr(row.target.size() + 1);
    for (const std::string& call : row.calls) {
      auto inner = data_types_.find(call);
      for (const Row& component : inner == data_types_.end() ? std::vector<Row>() : inner->second) {
        size_t dot = component.source.find('.');
        if (dot != std::string::npos &&
            (component.target == rest || component.target.starts_with(std::string(rest) + "."))) {
          add(row.source + component.source.substr(dot));
        }
      }
    }
  }
  return out;
}

}  // namespace weir::fhir
