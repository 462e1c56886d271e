// Golden files: a source and, beside the line that causes it, each diagnostic it must give, all of
// them and no other.
//
//   // CHECK-ERROR: [[@+1]]:15-19 E0312 `Patient.birthDate` is `date`, `PID-7` yields `string`
//   // CHECK-HELP: `PID-7.toDate()` keeps the precision that was sent
//     birthDate: PID-7
//
// Lines count from the comment's own; columns are bytes, from 1, last one included. CHECK-WARNING
// likewise. Files below a folder named `conformance` end with what `--explain-conformance` says of
// them, each line after `// CHECK-CONFORMS: ` and runs of blanks as one. A help line follows its diagnostic exactly when that has help. `fail_` or
// `mistake_` begins the name exactly when an error is expected.
#pragma once

#include <string>
#include <vector>

#include "compiler/base/source_file.h"
#include "compiler/diag/diagnostic.h"

namespace weir::golden {

struct Expectation {
  Severity severity = Severity::kError;
  uint32_t line = 0;
  uint32_t first_column = 0, last_column = 0;
  std::string code, message, help;

  friend bool operator==(const Expectation&, const Expectation&) = default;
  std::string Format(uint32_t from_line) const;
};

std::vector<Expectation> ReadExpectations(std::string_view text);
std::vector<Expectation> Describe(const SourceFile& file,
                                  const std::vector<Diagnostic>& diagnostics);
std::vector<std::string> ReadConformance(std::string_view text);
std::string RewriteConformance(std::string_view text, const std::vector<std::string>& actual);
// The text with its expectations replaced by `actual`, each before the line it belongs to.
std::string Rewrite(std::string_view text, const std::vector<Expectation>& actual);

}  // namespace weir::golden
