// Small text tools of the interpreter: UTF-8, hex, base64, ASCII classes. FHIRPath counts code
// points.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::ir {

bool IsUtf8(std::string_view text);
void AppendUtf8(uint32_t code, std::string* out);
size_t CodePoints(std::string_view text);
// Byte offset of code point `index`; text.size() when there are not that many.
size_t ByteOffset(std::string_view text, size_t index);
int HexDigit(char c);  // -1 when it is none

std::string ToHex(std::string_view bytes);
std::optional<std::string> FromHex(std::string_view text);
std::string ToBase64(std::string_view bytes, bool url);
std::optional<std::string> FromBase64(std::string_view text, bool url);

std::string AsciiLower(std::string_view text);
std::string AsciiUpper(std::string_view text);
std::string_view TrimBlanks(std::string_view text);  // space and tab
std::string_view TrimSpace(std::string_view text);   // space, tab, CR, LF, FF, VT
std::string NormalizeForEquivalence(
    std::string_view text);                        // lower case, blank runs are one space, trimmed
std::string PercentEncode(std::string_view text);  // all but RFC 3986 unreserved

}  // namespace weir::ir
