// The lines that a process-a-trial trainer prints: {"epoch": 1, "loss": 0.5} is an epoch,
// {"result": {"loss": 0.5}} the result, and what is neither is log text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/messages.h"

namespace windrow::protocol {

struct LogText {};

// An epoch. A number is a metric; nan, inf, null and their like are "no number" (NaN); true and
// false are 1 and 0; a number in quotes is a number; a metric in an inner object is named
// outer.inner; other text is a note and left out. wall_seconds is taken as such where it is a
// number, else it is 0. Trial and attempt are left for the caller to fill in.
struct PrintedEpoch {
  Epoch epoch;
  std::string left_out;  // metrics that could not be read, with the reason; "" = none
};
struct PrintedResult {
  Metrics result;
  std::string left_out;
};
// A line that begins with { and has "epoch" or "result", but can't be read.
struct UnreadLine {
  std::string why;  // with the line quoted
};
// An epoch below 1: all epochs would be off by one. The attempt fails.
struct RefusedLine {
  std::string why;
};
using PrintedLine = std::variant<LogText, PrintedEpoch, PrintedResult, UnreadLine, RefusedLine>;

PrintedLine parse_printed_line(std::string_view line);

// The form that lines must have, for messages.
std::string how_to_report();

// What to say where the early-stopping metric is not among an epoch's.
std::string missing_watched_metric(const std::string& watched,
                                   const std::vector<std::string>& reported);

}  // namespace windrow::protocol
