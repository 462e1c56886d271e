#include "runtime/hub/names.h"

namespace weir::hub {

Names::Names(Database& db) : insert_(db, "INSERT INTO name VALUES(?,?,?)") {
  Statement all(db, "SELECT kind, n, text FROM name ORDER BY kind, n");
  for (bool row = all.First(); row; row = all.Next()) {
    Kind& kind = kinds_[all.String(0)];
    kind.numbers[all.String(2)] = all.Int(1);
    kind.texts.push_back(all.String(2));
  }
}

int64_t Names::Number(const char* kind_name, std::string_view text) {
  Kind& kind = kinds_[kind_name];
  if (const auto found = kind.numbers.find(text); found != kind.numbers.end()) {
    return found->second;
  }
  const auto n = static_cast<int64_t>(kind.texts.size());
  kind.texts.emplace_back(text);
  kind.numbers.emplace(text, n);
  insert_.Run(kind_name, n, text);
  return n;
}

const std::string& Names::Text(const char* kind_name, int64_t n) const {
  static const std::string unknown = "?";
  const std::vector<std::string>& texts = All(kind_name);
  return n >= 0 && n < static_cast<int64_t>(texts.size()) ? texts[static_cast<size_t>(n)] : unknown;
}

const std::vector<std::string>& Names::All(std::string_view kind_name) const {
  static const std::vector<std::string> none;
  const auto kind = kinds_.find(kind_name);
  return kind == kinds_.end() ? none : kind->second.texts;
}

}  // namespace weir::hub
