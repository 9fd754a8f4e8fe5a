// Metrics as trainers state them: what is a number, what is none, what is neither. Internal to
// protocol/.
#pragma once

#include <optional>
#include <string>

#include "protocol/messages.h"

namespace windrow::protocol {

struct NoNumber {};  // thrown: neither a number nor a word for none

// A number, also in quotes; true and false are 1 and 0; nullopt: null, nan, inf and their like.
// Throws NoNumber.
std::optional<double> read_number(const Json& value);

// A time; 0 where it is no number, or negative.
double seconds_of(const Json& value);

struct MetricValues {
  Metrics metrics;
  std::string left_out;  // the first that could not be taken, with the reason

  // Takes metric `name`; what an object holds becomes name.inner. Text is a note and passed over.
  void add(const std::string& name, const Json& value);
};

}  // namespace windrow::protocol
