// The line protocol between agent and trainer: one JSON object a line, without line breaks in it.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "protocol/messages.h"

namespace windrow::protocol {

// A line that is a message of ours but can't be understood; what() names the key and the remedy.
struct ProtocolError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The message as one line, with the line break.
std::string to_line(const ToTrainer& message);
std::string to_line(const FromTrainer& message);

// Parses a line. nullopt: no JSON object with an "event", that is, log text. Throws ProtocolError
// on an object with an unknown "event", with keys missing or of the wrong type, or that can't be
// read. nan, inf and what else programs print for no number are read as null (NaN in metrics).
std::optional<FromTrainer> parse_from_trainer(std::string_view line);

// The same for what a trainer reads; every line must be a message. Throws ProtocolError.
ToTrainer parse_to_trainer(std::string_view line);

// Early stopping as the "early_stopping" of a start message; the same form as in a study file.
Json to_json(const EarlyStopping& rule);
EarlyStopping early_stopping_from_json(const Json& json);

}  // namespace windrow::protocol
