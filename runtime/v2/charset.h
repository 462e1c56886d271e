// From the bytes of a record to UTF-8, once, before anything else looks at it. Design, section 3: UTF-8, ASCII,
// 8859-1, 8859-15 and 1252 by our own small tables; anything else is a dead letter schema/charset with the raw kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::v2 {

// Bytes of the well-formed sequence at `p`, 0 when there is none.
uint32_t Utf8Sequence(const uint8_t* p, const uint8_t* end);
bool IsUtf8(std::string_view bytes);  // Unicode 15, table 3-7: no surrogates, nothing overlong

enum class Charset : uint8_t { kUtf8, kLatin1, kLatin9, kWindows1252, kUnknown };

// MSH-18 as sent. Its first repetition that we know decides; empty: kUtf8.
Charset CharsetOf(std::string_view msh18, char repetition);

enum class DecodeStatus : uint8_t {
  kAsIs,       // `bytes` is valid UTF-8 already
  kRecoded,    // `out` holds the UTF-8
  kRefused,    // unknown charset or undecodable byte
};
// Valid UTF-8 with a byte above 0x7F is taken as UTF-8 whatever MSH-18 says, since senders do declare 8859/1 over
// UTF-8 bytes (quirk 5); 8859-1 text is valid UTF-8 by chance only if every high byte sits in an odd pair like `Ã¼`. Undeclared bytes that are not UTF-8 are refused.
DecodeStatus DecodeRecord(std::string_view bytes, Charset declared, std::string* out);

}  // namespace weir::v2
