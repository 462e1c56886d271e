// What must hold for the parser on any bytes at all; the fuzz target and the mutation test both
// call it.
#pragma once

#include <string>

namespace weir::syntax {

// Empty, or which property broke.
std::string CheckParserProperties(const std::string& text);

}  // namespace weir::syntax
