#include "protocol/utf8.h"

#include <cstdint>
#include <cstring>

namespace windrow::protocol {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Sequence {
  std::size_t bytes;  // of the character, or of the longest part that could begin one
  bool whole;
};

// The character at the start of `text`, which is not empty.
Sequence first_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0) return {1, false};
  // The second byte's range keeps out longer forms than needed, surrogates and what is above
  // 10FFFF.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  std::size_t i = 1;
  for (; i < length && i < text.size(); ++i) {
    const bool fits = i == 1 ? byte(i) >= low && byte(i) <= high : (byte(i) & 0xC0) == 0x80;
    if (!fits) break;
  }
  return {i, i == length};
}

// Most text is ASCII: eight bytes at a time.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t i = 0;
  for (std::uint64_t word; i + sizeof word <= text.size(); i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if (word & 0x8080808080808080u) break;
  }
  return i;
}

}  // namespace

std::size_t utf8_prefix(std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    done += ascii_prefix(text.substr(done));
    if (done == text.size()) break;
    const Sequence next = first_sequence(text.substr(done));
    if (!next.whole) return done;
    done += next.bytes;
  }
  return done;
}

std::string valid_utf8(std::string_view text) {
  std::string result;
  while (true) {
    const std::size_t good = utf8_prefix(text);
    result += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) return result;
    result += kReplacement;
    text.remove_prefix(first_sequence(text).bytes);
  }
}

}  // namespace windrow::protocol
