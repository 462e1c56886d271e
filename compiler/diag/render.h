// Diagnostics for people (terminal), programs (JSON, one line) and code hosts (SARIF 2.1.0).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source_file.h"
#include "compiler/diag/diagnostic.h"

namespace weir {

struct RenderOptions {
  bool color = false;
  uint32_t max_line_columns = 160;  // a longer source line is shown around the caret only
};

// As in docs/diagnostics.md; a blank line between two of them.
std::string RenderText(const SourceFiles& files, const std::vector<Diagnostic>& diagnostics,
                       const RenderOptions& options = {});
// {"diagnostics":[{"code","severity","message","help"?,"path","line","column","end_line","end_column","notes":[…]}],"errors":n,"warnings":n}
std::string RenderJson(const SourceFiles& files, const std::vector<Diagnostic>& diagnostics);
std::string RenderSarif(const SourceFiles& files, const std::vector<Diagnostic>& diagnostics,
                        std::string_view tool_version);

// `E0101: title` and the explanation, wrapped at 80 columns; empty for a code we do not know.
std::string Explain(std::string_view code);

}  // namespace weir
