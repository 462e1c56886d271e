// The one layout of weir sources: two blanks per block, four more where a statement goes on, one
// blank between words, at most one blank line. Works on tokens, so comments and the author's line
// breaks stay where they are, and a file with errors is left alone by the caller (`weir fmt`
// formats only what parses).
#pragma once

#include <string>

#include "compiler/base/source_file.h"

namespace weir::syntax {

// Format(Format(x)) == Format(x), and the tokens are those of `file`.
std::string Format(const SourceFile& file, FileId id);

}  // namespace weir::syntax
