// What is told to the author. A phase reports into a DiagnosticSink and goes on; renderers
// (render.h) turn the sorted result into text, JSON or SARIF. Messages are lower case, without full
// stop, with backticks around what the author wrote; no patient data, ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/base/source_file.h"

namespace weir {

enum class DiagnosticKind : uint16_t {
#define WEIR_DIAGNOSTIC(name, code, severity, title, explanation) name,
#include "compiler/diag/kinds.def"
#undef WEIR_DIAGNOSTIC
};

enum class Severity : uint8_t { kError, kWarning };

// What kinds.def says about a kind.
struct DiagnosticInfo {
  DiagnosticKind kind;
  std::string_view name;  // "kExpected"
  std::string_view code;  // "E0101", never reused for anything else
  Severity severity;
  std::string_view title;
  std::string_view explanation;
};

const DiagnosticInfo& InfoOf(DiagnosticKind kind);
std::vector<DiagnosticInfo> AllDiagnosticKinds();
// By code, upper or lower case; nothing for an unknown one.
std::optional<DiagnosticInfo> FindDiagnosticKind(std::string_view code);

// A second place that explains the first.
struct DiagnosticNote {
  Span span;
  std::string message;
};

struct Diagnostic {
  DiagnosticKind kind;
  Span span;  // the narrowest wrong range; invalid when there is none
  std::string message;
  std::string help;  // the fix, when we know it
  std::vector<DiagnosticNote> notes;
  std::string label;  // short text beside the caret
};

class DiagnosticSink {
 public:
  // Keeps the diagnostic, unless the same kind was reported at the same place.
  void Report(Diagnostic diagnostic);
  void Report(DiagnosticKind kind, Span span, std::string message, std::string help = {}) {
    Report({.kind = kind,
            .span = span,
            .message = std::move(message),
            .help = std::move(help),
            .notes = {},
            .label = {}});
  }

  size_t error_count() const { return error_count_; }
  bool has_errors() const { return error_count_ > 0; }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  // In file and text order, causes (reported first) before what follows from them at the same
  // place.
  std::vector<Diagnostic> Sorted() const;

 private:
  std::vector<Diagnostic> diagnostics_;
  size_t error_count_ = 0;
};

// The nearest of `candidates` to a misspelt `word` for "did you mean", or empty when none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace weir
