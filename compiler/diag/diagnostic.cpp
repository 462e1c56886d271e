#include "compiler/diag/diagnostic.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <tuple>

namespace weir {
namespace {

constexpr std::array kInfos = {
#define WEIR_DIAGNOSTIC(name, code, severity, title, explanation) \
  DiagnosticInfo{DiagnosticKind::name, #name, code, Severity::severity, title, explanation},
#include "compiler/diag/kinds.def"
#undef WEIR_DIAGNOSTIC
};

// Optimal string alignment distance, so that two letters swapped count once.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

const DiagnosticInfo& InfoOf(DiagnosticKind kind) { return kInfos[static_cast<size_t>(kind)]; }

std::vector<DiagnosticInfo> AllDiagnosticKinds() { return {kInfos.begin(), kInfos.end()}; }

std::optional<DiagnosticInfo> FindDiagnosticKind(std::string_view code) {
  std::string upper(code);
  for (char& c : upper) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  for (const DiagnosticInfo& info : kInfos) {
    if (info.code == upper) {
      return info;
    }
  }
  return std::nullopt;
}

void DiagnosticSink::Report(Diagnostic diagnostic) {
  for (const Diagnostic& seen : diagnostics_) {
    if (seen.kind == diagnostic.kind && seen.span == diagnostic.span &&
        seen.message == diagnostic.message) {
      return;
    }
  }
  if (InfoOf(diagnostic.kind).severity == Severity::kError) {
    ++error_count_;
  }
  diagnostics_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> DiagnosticSink::Sorted() const {
  // std::stable_sort of libstdc++ 12 warns under clang; the ordinal makes the order total instead.
  std::vector<size_t> order(diagnostics_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [this](size_t a, size_t b) {
    const Span& x = diagnostics_[a].span;
    const Span& y = diagnostics_[b].span;
    return std::tuple(x.file, x.begin, a) < std::tuple(y.file, y.begin, b);
  });
  std::vector<Diagnostic> sorted;
  sorted.reserve(order.size());
  for (size_t i : order) {
    sorted.push_back(diagnostics_[i]);
  }
  return sorted;
}

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // A third of the word may be wrong, but never all of a short one.
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  std::string best;
  for (const std::string& candidate : candidates) {
    size_t longer = std::max(word.size(), candidate.size());
    if (candidate == word || longer - std::min(word.size(), candidate.size()) >= best_distance) {
      continue;
    }
    size_t distance = Distance(word, candidate);
    if (distance < best_distance && distance < longer) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace weir
