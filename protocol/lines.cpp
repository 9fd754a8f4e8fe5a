#include "protocol/lines.h"

#include <algorithm>
#include <cctype>

#include "protocol/json_fields.h"

namespace windrow::protocol {
namespace {

template <class Variant>
std::string message_to_line(const Variant& message) {
  Json json = std::visit([](const auto& m) { return fields::write(m); }, message);
  json["event"] =
      std::visit([](const auto& m) { return fields::kName<std::decay_t<decltype(m)>>; }, message);
  // Invalid UTF-8 in a text must not cost the message.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

// Python's json writes NaN, Infinity and -Infinity; JSON has only null.
std::string replace_bare_nan(std::string_view line) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < line.size()) out += line[++i];
      if (c == '"') in_string = false;
      continue;
    }
    bool replaced = false;
    for (std::string_view word : {"-Infinity", "Infinity", "-NaN", "NaN"}) {
      if (line.substr(i, word.size()) == word) {
        out += "null";
        i += word.size() - 1;
        replaced = true;
        break;
      }
    }
    if (replaced) continue;
    in_string = c == '"';
    out += c;
  }
  return out;
}

// The JSON object on the line; discarded where there is none.
Json parse_object(std::string_view line) {
  const auto first =
      std::find_if_not(line.begin(), line.end(), [](unsigned char c) { return std::isspace(c); });
  if (first == line.end() || *first != '{') return Json(Json::value_t::discarded);
  Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded() && (line.find("NaN") != line.npos || line.find("Infinity") != line.npos))
    json = Json::parse(replace_bare_nan(line), nullptr, false);
  return json;
}

template <class Variant, std::size_t I = 0>
Variant message_from_json(const Json& json, const std::string& name) {
  if constexpr (I == std::variant_size_v<Variant>) {
    throw ProtocolError("unknown event \"" + name + "\"");
  } else {
    using Message = std::variant_alternative_t<I, Variant>;
    if (name != fields::kName<Message>) return message_from_json<Variant, I + 1>(json, name);
    Message message;
    fields::read(json, message, name);
    return message;
  }
}

}  // namespace

std::string to_line(const ToTrainer& message) {
  return message_to_line(message);
}
std::string to_line(const FromTrainer& message) {
  return message_to_line(message);
}

std::optional<FromTrainer> parse_from_trainer(std::string_view line) {
  const Json json = parse_object(line);
  if (!json.is_object()) return std::nullopt;
  const auto event = json.find("event");
  if (event == json.end() || !event->is_string()) return std::nullopt;
  // What programs written for version 0.1 say when they were asked to stop.
  if (*event == "failed" && json.value("kind", Json()) == "preempted") {
    Json stopped = json;
    return message_from_json<FromTrainer>(stopped, "stopped");
  }
  return message_from_json<FromTrainer>(json, event->get<std::string>());
}

ToTrainer parse_to_trainer(std::string_view line) {
  const Json json = parse_object(line);
  if (!json.is_object()) throw ProtocolError("no JSON object: " + std::string(line.substr(0, 80)));
  const auto event = json.find("event");
  if (event == json.end() || !event->is_string())
    throw ProtocolError("the key \"event\" is missing: " + std::string(line.substr(0, 80)));
  return message_from_json<ToTrainer>(json, event->get<std::string>());
}

std::optional<Epoch> parse_epoch_shorthand(std::string_view line) {
  const Json json = parse_object(line);
  if (!json.is_object() || json.contains("event")) return std::nullopt;
  const auto number = json.find("epoch");
  if (number == json.end() || !number->is_number_integer()) return std::nullopt;
  Epoch epoch;
  fields::read_scalar(*number, epoch.epoch, "epoch");
  for (const auto& [key, value] : json.items()) {
    if (key == "epoch" || !(value.is_number() || value.is_null())) continue;
    fields::read_scalar(value, key == "wall_seconds" ? epoch.wall_seconds : epoch.metrics[key],
                        key);
  }
  return epoch;
}

std::optional<Metrics> parse_result_shorthand(std::string_view line) {
  const Json json = parse_object(line);
  if (!json.is_object() || json.contains("event") || !json.contains("result")) return std::nullopt;
  Metrics result;
  fields::read_scalar(json["result"], result, "result");
  return result;
}

Json to_json(const EarlyStopping& rule) {
  return fields::write(rule);
}

EarlyStopping early_stopping_from_json(const Json& json) {
  EarlyStopping rule;
  fields::read(json, rule, "early_stopping");
  return rule;
}

}  // namespace windrow::protocol
