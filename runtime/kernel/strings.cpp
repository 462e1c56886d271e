// Strings. What v2 maps know too is value.cpp's, after implicit conversion; the rest is here.
#include "runtime/kernel/fp.h"

namespace weir::kernel {

extern "C" {
Coll wk_upper(Context* c, Coll in);
Coll wk_lower(Context* c, Coll in);
Coll wk_trim(Context* c, Coll in);
Coll wk_length(Context* c, Coll in);
Coll wk_uri_escape(Context* c, Coll in);
uint32_t wk_string_test(Context* c, Coll in, Coll argument, uint32_t test);
Coll wk_index_of(Context* c, Coll in, Coll argument, bool last);
Coll wk_substring(Context* c, Coll in, Coll start, const Item* length, uint64_t lengths, bool has_length);
Coll wk_boolean_value(Context* c, uint32_t tri);
}

namespace {

Coll Mapped(Context* c, const Coll& in, Coll (*map)(Context*, Coll)) {
  Text t;
  if (!SingleText(c, in, &t)) {
    return Empty();
  }
  Item item = StringItem(t);
  return map(c, {&item, 1});
}

bool TwoTexts(Context* c, const Coll* a, Text* text, Text* argument) {
  bool has_text = SingleText(c, a[0], text), has_argument = SingleText(c, a[1], argument);
  return has_text && has_argument;
}

Coll Tested(Context* c, const Coll* a, uint32_t test) {
  Text t, part;
  if (!TwoTexts(c, a, &t, &part)) {
    return Empty();
  }
  Item text = StringItem(t), argument = StringItem(part);
  return wk_boolean_value(c, wk_string_test(c, {&text, 1}, {&argument, 1}, test));
}

Coll Found(Context* c, const Coll* a, bool last) {
  Text t, part;
  if (!TwoTexts(c, a, &t, &part)) {
    return Empty();
  }
  Item text = StringItem(t), argument = StringItem(part);
  return wk_index_of(c, {&text, 1}, {&argument, 1}, last);
}

// Bytes of the code point at `at`.
WK_INLINE uint32_t PointSize(Text t, uint32_t at) {
  uint32_t n = 1;
  while (at + n < t.n && (t.p[at + n] & 0xC0) == 0x80) {
    ++n;
  }
  return n;
}

bool At(Text t, uint32_t at, Text part) { return t.n - at >= part.n && Same({t.p + at, part.n}, part); }

Coll Characters(Context* c, Text t) {
  Item* items;
  Coll out = NewColl(c, t.n, &items);
  for (uint32_t i = 0; i < t.n && items != nullptr;) {
    uint32_t n = PointSize(t, i);
    items[out.count++] = StringItem({t.p + i, n});
    i += n;
  }
  return out;
}

struct Writer {  // text that grows at the top of the heap; `ok` until scratch is exhausted
  Context* c;
  uint8_t* begin;
  uint8_t* p;
  bool ok;
};
WK_INLINE Writer Write(Context* c) { return {c, c->heap, c->heap, true}; }
void Put(Writer& w, Text t) {
  if (static_cast<uint64_t>(w.c->heap_end - w.p) < t.n) {
    w.c->scratch_full = 1;
    w.ok = false;
    return;
  }
  Copy(w.p, t.p, t.n);
  w.p += t.n;
}
Coll Written(Writer& w) {
  Text t = {w.begin, static_cast<uint32_t>(w.p - w.begin)};
  return w.ok && NewBytes(w.c, t.n) != nullptr ? OneString(w.c, t) : Empty();
}

// Every `from` in turn, left to right.
void PutReplaced(Writer& w, Text t, Text from, Text to) {
  for (uint32_t i = 0; i < t.n;) {
    if (At(t, i, from)) {
      Put(w, to);
      i += from.n;
    } else {
      Put(w, {t.p + i++, 1});
    }
  }
}

int32_t HexValue(uint8_t b) { return Digit(b) ? b - '0' : b >= 'a' && b <= 'f' ? b - 'a' + 10 : b >= 'A' && b <= 'F' ? b - 'A' + 10 : -1; }
WK_INLINE uint8_t HexDigit(uint32_t v) { return static_cast<uint8_t>(v < 10 ? '0' + v : 'a' + v - 10); }

uint8_t Base64Digit(uint32_t v, bool url) {
  return static_cast<uint8_t>(v < 26 ? 'A' + v : v < 52 ? 'a' + v - 26 : v < 62 ? '0' + v - 52 : v == 62 ? (url ? '-' : '+') : url ? '_' : '/');
}
int32_t Base64Value(uint8_t b, bool url) {
  if (b >= 'A' && b <= 'Z') {
    return b - 'A';
  }
  if (b >= 'a' && b <= 'z') {
    return b - 'a' + 26;
  }
  return Digit(b) ? b - '0' + 52 : b == (url ? '-' : '+') ? 62 : b == (url ? '_' : '/') ? 63 : -1;
}

bool PutUnhexed(Writer& w, Text t) {
  for (uint32_t i = 0; i + 1 < t.n; i += 2) {
    int32_t high = HexValue(t.p[i]), low = HexValue(t.p[i + 1]);
    auto byte = static_cast<uint8_t>(high * 16 + low);
    if (high < 0 || low < 0) {
      return false;
    }
    Put(w, {&byte, 1});
  }
  return t.n % 2 == 0;
}
bool PutUnbased(Writer& w, Text t, bool url) {
  for (uint32_t i = 0; i + 3 < t.n; i += 4) {
    uint32_t group = 0, padding = 0;
    for (uint32_t k = 0; k < 4; ++k) {
      uint8_t b = t.p[i + k];
      int32_t value = Base64Value(b, url);
      bool pad = b == '=' && i + 4 == t.n && k >= 2;
      if (!pad && (value < 0 || padding != 0)) {
        return false;
      }
      padding += pad ? 1 : 0;
      group = group << 6 | (pad ? 0 : static_cast<uint32_t>(value));
    }
    uint8_t bytes[] = {static_cast<uint8_t>(group >> 16), static_cast<uint8_t>(group >> 8), static_cast<uint8_t>(group)};
    Put(w, {bytes, 3 - padding});
  }
  return t.n % 4 == 0;
}

bool IsUtf8(Text t) {
  for (uint32_t i = 0; i < t.n;) {
    uint8_t b = t.p[i];
    uint32_t n = b < 0x80 ? 1 : b >= 0xC2 && b < 0xE0 ? 2 : b >= 0xE0 && b < 0xF0 ? 3 : b >= 0xF0 && b < 0xF5 ? 4 : 0;
    if (n == 0 || t.n - i < n) {
      return false;
    }
    for (uint32_t k = 1; k < n; ++k) {
      if ((t.p[i + k] & 0xC0) != 0x80) {
        return false;
      }
    }
    uint8_t next = n > 1 ? t.p[i + 1] : 0;  // overlong forms, surrogates and what lies beyond U+10FFFF
    if ((b == 0xE0 && next < 0xA0) || (b == 0xED && next > 0x9F) || (b == 0xF0 && next < 0x90) || (b == 0xF4 && next > 0x8F)) {
      return false;
    }
    i += n;
  }
  return true;
}

void PutPoint(Writer& w, uint32_t point) {
  uint8_t bytes[4];
  uint32_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (uint32_t k = n; k-- > 1; point >>= 6) {
    bytes[k] = static_cast<uint8_t>(0x80 | (point & 63));
  }
  bytes[0] = static_cast<uint8_t>(n == 1 ? point : (0xF00u >> n & 0xFF) | point);
  Put(w, {bytes, n});
}

bool ReadHex4(Text t, uint32_t at, uint32_t* out) {
  *out = 0;
  for (uint32_t k = 0; k < 4; ++k) {
    int32_t v = at + k < t.n ? HexValue(t.p[at + k]) : -1;
    if (v < 0) {
      return false;
    }
    *out = *out << 4 | static_cast<uint32_t>(v);
  }
  return true;
}
// A quote that was not escaped is taken as it is; false: a malformed escape.
bool PutJsonUnescaped(Writer& w, Text t) {
  for (uint32_t i = 0; i < t.n; ++i) {
    if (t.p[i] != '\\') {
      Put(w, {t.p + i, 1});
      continue;
    }
    if (++i == t.n) {
      return false;
    }
    uint8_t b = t.p[i];
    uint8_t plain = b == '"' || b == '\\' || b == '/' ? b : b == 'b' ? '\b' : b == 'f' ? '\f' : b == 'n' ? '\n' : b == 'r' ? '\r' : b == 't' ? '\t' : 0;
    if (plain != 0) {
      Put(w, {&plain, 1});
      continue;
    }
    uint32_t point, low;
    if (b != 'u' || !ReadHex4(t, i + 1, &point) || (point >= 0xDC00 && point < 0xE000)) {
      return false;
    }
    i += 4;
    if (point >= 0xD800 && point < 0xDC00) {
      if (!At(t, i + 1 < t.n ? i + 1 : t.n, Lit("\\u")) || !ReadHex4(t, i + 3, &low) || low < 0xDC00 || low > 0xDFFF) {
        return false;
      }
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      i += 6;
    }
    PutPoint(w, point);
  }
  return true;
}

constexpr uint32_t kHtmlPairs = 5;
WK_INLINE Text HtmlPlain(uint32_t i) { return {reinterpret_cast<const uint8_t*>("&<>\"'") + i, 1}; }
Text HtmlEscaped(uint32_t i) { return i == 0 ? Lit("&amp;") : i == 1 ? Lit("&lt;") : i == 2 ? Lit("&gt;") : i == 3 ? Lit("&quot;") : Lit("&#39;"); }

}  // namespace

extern "C" {

Coll wf_upper(Context* c, const Coll* a, uint64_t) { return Mapped(c, a[0], wk_upper); }
Coll wf_lower(Context* c, const Coll* a, uint64_t) { return Mapped(c, a[0], wk_lower); }
Coll wf_trim(Context* c, const Coll* a, uint64_t) { return Mapped(c, a[0], wk_trim); }
Coll wf_length(Context* c, const Coll* a, uint64_t) { return Mapped(c, a[0], wk_length); }
Coll wf_uriEscape(Context* c, const Coll* a, uint64_t) { return Mapped(c, a[0], wk_uri_escape); }
Coll wf_startsWith(Context* c, const Coll* a, uint64_t) { return Tested(c, a, 0); }
Coll wf_endsWith(Context* c, const Coll* a, uint64_t) { return Tested(c, a, 1); }
Coll wf_contains(Context* c, const Coll* a, uint64_t) { return Tested(c, a, 2); }
Coll wf_indexOf(Context* c, const Coll* a, uint64_t) { return Found(c, a, false); }
Coll wf_lastIndexOf(Context* c, const Coll* a, uint64_t) { return Found(c, a, true); }

Coll wf_substring(Context* c, const Coll* a, uint64_t n) {
  Text t;
  int64_t start, length = 0;
  bool has_text = SingleText(c, a[0], &t), has_start = SingleNumber(c, a[1], &start), has_length = n > 2 && SingleNumber(c, a[2], &length);
  if (!has_text || !has_start) {
    return Empty();
  }
  Item text = StringItem(t), from = IntegerItem(start), count = IntegerItem(length);
  return wk_substring(c, {&text, 1}, {&from, 1}, &count, has_length ? 1 : 0, n > 2);
}

Coll wf_toChars(Context* c, const Coll* a, uint64_t) {
  Text t;
  return SingleText(c, a[0], &t) ? Characters(c, t) : Empty();
}

Coll wf_replace(Context* c, const Coll* a, uint64_t) {
  Text t, from, to;
  bool has_texts = TwoTexts(c, a, &t, &from), has_to = SingleText(c, a[2], &to);
  if (!has_texts || !has_to) {
    return Empty();
  }
  Writer w = Write(c);
  if (from.n != 0) {
    PutReplaced(w, t, from, to);
    return Written(w);
  }
  Put(w, to);  // the empty pattern surrounds every character
  for (uint32_t i = 0; i < t.n;) {
    uint32_t n = PointSize(t, i);
    Put(w, {t.p + i, n});
    Put(w, to);
    i += n;
  }
  return Written(w);
}

Coll wf_split(Context* c, const Coll* a, uint64_t) {
  Text t, separator;
  if (!TwoTexts(c, a, &t, &separator)) {
    return Empty();
  }
  if (separator.n == 0) {
    return Characters(c, t);
  }
  Item* items;
  Coll out = NewColl(c, uint64_t{t.n} / separator.n + 1, &items);
  uint32_t begin = 0;
  for (uint32_t i = 0; i < t.n && items != nullptr;) {
    if (!At(t, i, separator)) {
      ++i;
      continue;
    }
    items[out.count++] = StringItem({t.p + begin, i - begin});
    begin = i += separator.n;
  }
  if (items != nullptr) {
    items[out.count++] = StringItem({t.p + begin, t.n - begin});
  }
  return out;
}

Coll wf_join(Context* c, const Coll* a, uint64_t n) {
  Text separator = {nullptr, 0};
  if (n > 1 && !SingleText(c, a[1], &separator)) {
    separator.n = 0;
  }
  // Converted first: a conversion may take from the heap that the text grows on.
  auto* texts = reinterpret_cast<Text*>(NewBytes(c, a->count * sizeof(Text)));
  uint64_t count = 0;
  for (uint64_t i = 0; i < a->count && texts != nullptr; ++i) {
    count += SingleText(c, {a->items + i, 1}, &texts[count]) ? 1 : 0;
  }
  Writer w = Write(c);
  for (uint64_t i = 0; i < count; ++i) {
    if (i != 0) {
      Put(w, separator);
    }
    Put(w, texts[i]);
  }
  return count != 0 ? Written(w) : Empty();
}

Coll wf_encode(Context* c, const Coll* a, uint64_t) {
  Text t, format;
  if (!TwoTexts(c, a, &t, &format)) {
    return Empty();
  }
  Writer w = Write(c);
  if (Is(format, "hex")) {
    for (uint32_t i = 0; i < t.n; ++i) {
      uint8_t digits[] = {HexDigit(t.p[i] >> 4), HexDigit(t.p[i] & 15)};
      Put(w, {digits, 2});
    }
    return Written(w);
  }
  bool url = Is(format, "urlbase64");
  if (!url && !Is(format, "base64")) {
    return Empty();
  }
  for (uint32_t i = 0; i < t.n; i += 3) {
    uint32_t have = t.n - i < 3 ? t.n - i : 3, group = 0;
    for (uint32_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < have ? t.p[i + k] : 0u);
    }
    uint8_t digits[4];
    for (uint32_t k = 0; k < 4; ++k) {
      digits[k] = k <= have ? Base64Digit(group >> (18 - 6 * k) & 63, url) : '=';
    }
    Put(w, {digits, 4});
  }
  return Written(w);
}

Coll wf_decode(Context* c, const Coll* a, uint64_t) {
  Text t, format;
  if (!TwoTexts(c, a, &t, &format)) {
    return Empty();
  }
  Writer w = Write(c);
  bool url = Is(format, "urlbase64");
  bool ok = Is(format, "hex") ? PutUnhexed(w, t) : (url || Is(format, "base64")) && PutUnbased(w, t, url);
  return ok && IsUtf8({w.begin, static_cast<uint32_t>(w.p - w.begin)}) ? Written(w) : Empty();
}

Coll wf_escape(Context* c, const Coll* a, uint64_t) {
  Text t, format;
  if (!TwoTexts(c, a, &t, &format)) {
    return Empty();
  }
  Writer w = Write(c);
  bool html = Is(format, "html");
  if (!html && !Is(format, "json")) {
    return Empty();
  }
  for (uint32_t i = 0; i < t.n; ++i) {
    uint8_t escape[6];
    Text piece = {t.p + i, 1};
    for (uint32_t k = 0; k < kHtmlPairs && html; ++k) {
      piece = t.p[i] == HtmlPlain(k).p[0] ? HtmlEscaped(k) : piece;
    }
    if (!html) {
      piece = {escape, EscapeJson(t.p[i], escape)};
    }
    Put(w, piece);
  }
  return Written(w);
}

Coll wf_unescape(Context* c, const Coll* a, uint64_t) {
  Text t, format;
  if (!TwoTexts(c, a, &t, &format)) {
    return Empty();
  }
  if (Is(format, "json")) {
    Writer w = Write(c);
    return PutJsonUnescaped(w, t) ? Written(w) : Empty();
  }
  if (!Is(format, "html")) {
    return Empty();
  }
  Coll out = OneString(c, t);
  for (uint32_t k = kHtmlPairs; k-- > 0 && out.count == 1;) {  // `&amp;` last, so that nothing is undone twice
    Writer w = Write(c);
    PutReplaced(w, TextOf(out.items[0]), HtmlEscaped(k), HtmlPlain(k));
    out = Written(w);
  }
  return out;
}

}  // extern "C"

}  // namespace weir::kernel
