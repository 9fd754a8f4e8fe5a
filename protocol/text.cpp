#include "protocol/text.h"

#include <algorithm>

#include "protocol/utf8.h"

namespace windrow::protocol {
namespace {

constexpr std::size_t kLongestQuote = 200;
constexpr std::size_t kLongestName = 200;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string quote(std::string_view line) {
  const std::string_view begin = cut_utf8(line, kLongestQuote);
  std::string text = valid_utf8(begin);
  std::ranges::replace_if(text, is_control, ' ');
  return text + (begin.size() < line.size() ? "..." : "");
}

std::string name_fault(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > kLongestName)
    return "it is longer than " + std::to_string(kLongestName) + " bytes";
  if (std::ranges::any_of(name, is_control)) return "it has control characters";
  return utf8_prefix(name) < name.size() ? "it is not UTF-8" : "";
}

}  // namespace windrow::protocol
