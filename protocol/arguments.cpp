#include "protocol/arguments.h"

#include <cmath>

namespace windrow::protocol {
namespace {

constexpr double kLargestWhole = 9007199254740992;  // 2^53: every whole number up to it is exact

std::string plain_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  const double number = value.get<double>();
  const bool is_whole = number == std::floor(number) && std::abs(number) < kLargestWhole;
  return is_whole ? std::to_string(static_cast<std::int64_t>(number)) : value.dump();
}

// Hydra's grammar takes an unquoted text for a number, a list, ... where it looks like one.
std::string hydra_text(const Json& value) {
  if (!value.is_string()) return plain_text(value);
  const auto& text = value.get_ref<const std::string&>();
  const bool plain = !text.empty() &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.") ==
                         std::string::npos &&
                     text.find_first_not_of("0123456789.-eE_") != std::string::npos &&
                     text != "true" && text != "false" && text != "null";
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::vector<std::string> argument_words(Arguments arguments, const Json& parameters) {
  std::vector<std::string> words;
  if (arguments == Arguments::none) return words;
  for (const auto& [name, value] : parameters.items()) {
    if (arguments == Arguments::hydra) {
      words.push_back(name + "=" + hydra_text(value));
    } else if (value.is_null()) {
      continue;
    } else if (arguments == Arguments::flags && value.is_boolean()) {
      if (value.get<bool>()) words.push_back("--" + name);
    } else {
      words.push_back("--" + name + "=" + plain_text(value));
    }
  }
  return words;
}

}  // namespace windrow::protocol
