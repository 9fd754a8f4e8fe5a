// An attempt's end by an error whose kind is known.
#pragma once

#include <stdexcept>
#include <string>

#include "protocol/failure.h"

namespace windrow::worker {

struct TrainerError : std::runtime_error {
  TrainerError(protocol::TrainerFailure k, const std::string& message)
      : std::runtime_error(message), kind(k) {}
  protocol::TrainerFailure kind;
};

}  // namespace windrow::worker
