#include "protocol/lines.h"

#include <algorithm>
#include <cctype>

#include "protocol/json_fields.h"
#include "protocol/lenient_json.h"
#include "protocol/text.h"

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

// The JSON object on the line; discarded where there is none.
Json parse_object(std::string_view line) {
  const auto first =
      std::find_if_not(line.begin(), line.end(), [](unsigned char c) { return std::isspace(c); });
  if (first == line.end() || *first != '{') return Json(Json::value_t::discarded);
  if (is_too_deep(line)) return Json(Json::value_t::discarded);
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_discarded()) return json;
  try {
    return read_lenient_json(line);
  } catch (const LenientJsonFault&) {
    return Json(Json::value_t::discarded);
  }
}

// Begins with a brace and has an event: nothing that a program prints by chance.
bool looks_like_message(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin != line.npos && line[begin] == '{' && line.find("\"event\"") != line.npos;
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
  if (json.is_discarded() && looks_like_message(line))
    throw ProtocolError("it can't be read: " + quote(line));
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

Json to_json(const EarlyStopping& rule) {
  return fields::write(rule);
}

EarlyStopping early_stopping_from_json(const Json& json) {
  EarlyStopping rule;
  fields::read(json, rule, "early_stopping");
  return rule;
}

}  // namespace windrow::protocol
