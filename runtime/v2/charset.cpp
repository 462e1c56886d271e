#include "runtime/v2/charset.h"

#include <array>
#include <cstring>

#include "runtime/v2/view.h"

namespace weir::v2 {
namespace {

// Windows-1252's 0x80 to 0x9F; 0 where it defines nothing.
constexpr std::array<uint16_t, 32> kWindows = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                               0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                               0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

uint16_t Latin9(uint8_t c) {
  switch (c) {
    case 0xA4:
      return 0x20AC;
    case 0xA6:
      return 0x0160;
    case 0xA8:
      return 0x0161;
    case 0xB4:
      return 0x017D;
    case 0xB8:
      return 0x017E;
    case 0xBC:
      return 0x0152;
    case 0xBD:
      return 0x0153;
    case 0xBE:
      return 0x0178;
    default:
      return c;
  }
}

void AppendUtf8(std::string& out, uint16_t point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | point >> 6));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xE0 | point >> 12));
    out.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3F)));
  }
}

}  // namespace

uint32_t Utf8Sequence(const uint8_t* p, const uint8_t* end) {
  uint8_t c = p[0];
  uint32_t length = c < 0x80                 ? 1
                    : c >= 0xC2 && c <= 0xDF ? 2
                    : (c & 0xF0) == 0xE0     ? 3
                    : c >= 0xF0 && c <= 0xF4 ? 4
                                             : 0;
  if (length < 2 || end - p < length) {
    return length == 1 ? 1 : 0;
  }
  uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
  uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
  if (p[1] < low || p[1] > high) {
    return 0;
  }
  for (uint32_t k = 2; k < length; ++k) {
    if ((p[k] & 0xC0) != 0x80) {
      return 0;
    }
  }
  return length;
}

bool IsUtf8(std::string_view bytes) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* end = p + bytes.size();
  while (p < end) {
    uint64_t word;
    if (end - p >= 8 &&
        (memcpy(&word, p, 8), (word & 0x8080808080808080) == 0)) {  // eight ASCII bytes at a time
      p += 8;
      continue;
    }
    uint32_t length = Utf8Sequence(p, end);
    if (length == 0) {
      return false;
    }
    p += length;
  }
  return true;
}

Charset CharsetOf(std::string_view msh18, char repetition) {
  if (Trim(msh18).empty()) {
    return Charset::kUtf8;
  }
  while (true) {
    size_t at = msh18.find(repetition);
    std::string_view name = Trim(msh18.substr(0, at));
    std::string plain;  // upper case, letters and digits only: "8859/1", "ISO-8859-1", "iso8859_1" are one
    for (char c : name) {
      if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) {
        plain.push_back(c);
      } else if (c >= 'a' && c <= 'z') {
        plain.push_back(static_cast<char>(c - 32));
      }
    }
    if (plain.starts_with("ISO")) {
      plain.erase(0, 3);
    }
    if (plain == "UTF8" || plain == "UNICODEUTF8" || plain == "UNICODE" || plain == "ASCII" || plain == "USASCII" || plain == "IR6") {
      return Charset::kUtf8;
    }
    if (plain == "88591" || plain == "LATIN1" || plain == "IR100") {
      return Charset::kLatin1;
    }
    if (plain == "885915" || plain == "LATIN9") {
      return Charset::kLatin9;
    }
    if (plain == "WINDOWS1252" || plain == "CP1252" || plain == "1252") {
      return Charset::kWindows1252;
    }
    if (at == std::string_view::npos) {
      return Charset::kUnknown;
    }
    msh18.remove_prefix(at + 1);
  }
}

DecodeStatus DecodeRecord(std::string_view bytes, Charset declared, std::string* out) {
  bool ascii = true;
  for (char c : bytes) {
    ascii = ascii && static_cast<uint8_t>(c) < 0x80;
  }
  if (ascii || IsUtf8(bytes)) {
    return DecodeStatus::kAsIs;
  }
  if (declared == Charset::kUtf8 || declared == Charset::kUnknown) {
    return DecodeStatus::kRefused;
  }
  out->clear();
  for (char ch : bytes) {
    auto c = static_cast<uint8_t>(ch);
    uint16_t point = c;
    if (declared == Charset::kLatin9) {
      point = Latin9(c);
    } else if (declared == Charset::kWindows1252 && c >= 0x80 && c < 0xA0) {
      point = kWindows[c - 0x80];
      if (point == 0) {
        return DecodeStatus::kRefused;
      }
    }
    AppendUtf8(*out, point);
  }
  return DecodeStatus::kRecoded;
}

}  // namespace weir::v2
