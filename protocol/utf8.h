// Text of other programs, made fit to be stored, sent as JSON and shown.
#pragma once

#include <string>
#include <string_view>

namespace windrow::protocol {

// How many bytes at the beginning of `text` are UTF-8 (no surrogates, nothing above U+10FFFF, the
// shortest forms only).
std::size_t utf8_prefix(std::string_view text);

// `text` where it is UTF-8; else U+FFFD stands for each byte that belongs to no character, and one
// for a character whose last bytes are missing (the Unicode standard's practice of maximal parts).
std::string valid_utf8(std::string_view text);

}  // namespace windrow::protocol
