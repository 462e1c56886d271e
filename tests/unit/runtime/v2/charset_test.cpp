#include "runtime/v2/charset.h"

#include <gtest/gtest.h>

namespace weir::v2 {
namespace {

TEST(Charset, ReadsTheNamesSendersUse) {
  EXPECT_EQ(CharsetOf("", '~'), Charset::kUtf8);
  EXPECT_EQ(CharsetOf("UNICODE UTF-8", '~'), Charset::kUtf8);
  EXPECT_EQ(CharsetOf("8859/1", '~'), Charset::kLatin1);
  EXPECT_EQ(CharsetOf("ISO-8859-15", '~'), Charset::kLatin9);
  EXPECT_EQ(CharsetOf("windows-1252", '~'), Charset::kWindows1252);
  EXPECT_EQ(CharsetOf("ISO IR 999", '~'), Charset::kUnknown);
  EXPECT_EQ(CharsetOf("ISO IR 999~UTF-8", '~'), Charset::kUtf8);
}

TEST(Charset, RecodesByTable) {
  std::string out;
  EXPECT_EQ(DecodeRecord("M\xFCller", Charset::kLatin1, &out), DecodeStatus::kRecoded);
  EXPECT_EQ(out, "M\xC3\xBCller");
  EXPECT_EQ(DecodeRecord("\xA4", Charset::kLatin9, &out), DecodeStatus::kRecoded);
  EXPECT_EQ(out, "\xE2\x82\xAC");
  EXPECT_EQ(DecodeRecord("\x80", Charset::kWindows1252, &out), DecodeStatus::kRecoded);
  EXPECT_EQ(out, "\xE2\x82\xAC");
  EXPECT_EQ(DecodeRecord("\x81", Charset::kWindows1252, &out), DecodeStatus::kRefused);
}

TEST(Charset, Utf8BytesAreUtf8WhateverIsDeclared) {
  std::string out;
  EXPECT_EQ(DecodeRecord("M\xC3\xBCller", Charset::kLatin1, &out), DecodeStatus::kAsIs);
  EXPECT_EQ(DecodeRecord("M\xFCller", Charset::kUtf8, &out), DecodeStatus::kRefused);
  EXPECT_EQ(DecodeRecord("plain", Charset::kUnknown, &out), DecodeStatus::kAsIs);
}

TEST(Charset, RefusesIllFormedUtf8) {
  for (const char* bad : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_FALSE(IsUtf8(bad)) << testing::PrintToString(std::string(bad));
  }
  EXPECT_TRUE(IsUtf8("\xF0\x9F\x8F\xA5"));
}

}  // namespace
}  // namespace weir::v2
