#include "protocol/arguments.h"

#include <cmath>

namespace windrow::protocol {
namespace {

constexpr double kLargestWhole = 9007199254740992;  // 2^53: every whole number up to it is exact

std::string plain_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Hydra's grammar takes an unquoted text for a number, a list, ... where it looks like one.
std::string hydra_text(const Json& value) {
  if (!value.is_string()) return value.dump();
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

Json plain_parameters(const Json& parameters) {
  Json plain = parameters;
  for (auto& [name, value] : plain.items()) {
    if (!value.is_number_float()) continue;
    const double number = value.get<double>();
    if (number == std::floor(number) && std::abs(number) < kLargestWhole)
      value = static_cast<std::int64_t>(number);
  }
  return plain;
}

std::vector<std::string> argument_words(Arguments arguments, const Json& parameters) {
  std::vector<std::string> words;
  if (arguments == Arguments::none) return words;
  const Json plain = plain_parameters(parameters);
  for (const auto& [name, value] : plain.items()) {
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
