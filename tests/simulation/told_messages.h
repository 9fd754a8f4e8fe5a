// Messages as the trace tells them: "Assign slot 2 trial 7 attempt 1"; "" = not worth a line.
#pragma once

#include <string>
#include <variant>

#include "protocol/messages.h"

namespace windrow::simulation {

template <class M>
std::string told(const M& message) {
  std::string text;
  if constexpr (requires { message.slot.value; })
    text += " slot " + std::to_string(message.slot.value);
  if constexpr (requires { message.trial.value; })
    text += " trial " + std::to_string(message.trial.value);
  if constexpr (requires { message.start; }) text += told(message.start);
  if constexpr (requires { message.started; }) text += told(message.started);
  if constexpr (requires { message.epoch.trial; }) text += told(message.epoch);
  if constexpr (requires { message.finished; }) text += told(message.finished);
  if constexpr (requires { message.attempt; })
    text += " attempt " + std::to_string(message.attempt);
  if constexpr (requires { message.epoch + 0; }) text += " epoch " + std::to_string(message.epoch);
  if constexpr (requires { message.kind; })
    text += " " + std::string(protocol::to_string(message.kind));
  return text;
}

inline std::string told_order(const protocol::ToAgent& message) {
  static constexpr const char* kNames[] = {"Welcome",     "Assign",      "Withdraw",
                                           "CancelTrial", "SetSlotGang", "StopAll",
                                           "Forget",      "Leave",       ""};
  const std::string name = kNames[message.index()];
  return name.empty() ? "" : name + std::visit([](const auto& m) { return told(m); }, message);
}

inline std::string told_report(const protocol::FromAgent& message) {
  if (std::holds_alternative<protocol::AgentHeartbeat>(message)) return "";
  static constexpr const char* kNames[] = {
      "Hello",        "ProgramSeen",     "EnvironmentSeen", "TrainerReady",   "AttemptStarted",
      "AttemptEpoch", "AttemptFinished", "AttemptFailed",   "AttemptWarning", "SlotLost",
      "SlotClosing",  "Withdrawn",       "AgentHeartbeat",  "StopRequested",  "Goodbye"};
  return kNames[message.index()] + std::visit([](const auto& m) { return told(m); }, message);
}

}  // namespace windrow::simulation
