#include <gtest/gtest.h>

#include "protocol/utf8.h"

namespace windrow::protocol {
namespace {

TEST(Utf8, ValidTextIsLeftAsItIs) {
  for (const std::string text :
       {"", "plain", "na\u00EFve \u2713 \U0001F600 and more text than eight bytes",
        "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF"
        "\xBF"}) {
    EXPECT_EQ(utf8_prefix(text), text.size());
    EXPECT_EQ(valid_utf8(text), text);
  }
  EXPECT_EQ(valid_utf8(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST(Utf8, WhatIsNoCharacterIsReplaced) {
  EXPECT_EQ(valid_utf8("caf\xE9"), "caf\uFFFD");                          // Latin-1
  EXPECT_EQ(valid_utf8("a\xC0\xAF"), "a\uFFFD\uFFFD");                    // longer than needed
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), "\uFFFD\uFFFD\uFFFD");            // the same
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(valid_utf8("\xE2\x9C!"), "\uFFFD!");                          // cut short: one
  EXPECT_EQ(valid_utf8("\xF0\x9F\x98"), "\uFFFD");                        // at the end, too
  EXPECT_EQ(valid_utf8("\x80\xFF ok"), "\uFFFD\uFFFD ok");
}

TEST(Utf8, EveryPairOfBytesComesOutValid) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const std::string text = "12345678" + std::string{static_cast<char>(a), static_cast<char>(b)};
      const std::string valid = valid_utf8(text);
      ASSERT_EQ(utf8_prefix(valid), valid.size()) << a << " " << b;
    }
}

}  // namespace
}  // namespace windrow::protocol
