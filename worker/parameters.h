// A trial's parameters, checked and typed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/messages.h"

namespace windrow::worker {

// Reads complete parameters. Each accessor throws TrainerError{spec} that names the key when it is
// missing or of another type.
class Parameters {
 public:
  // Checks `given` against the tables of `task` and fills in defaults. Throws TrainerError{spec}
  // with a line for each fault, or when there is no such task.
  Parameters(const std::string& task, const protocol::Json& given);

  std::int64_t integer(const char* key) const;
  std::optional<std::int64_t> integer_or_null(const char* key) const;
  double number(const char* key) const;
  std::optional<double> number_or_null(const char* key) const;
  std::string string(const char* key) const;
  bool boolean(const char* key) const;
  const protocol::Json& json() const { return values_; }

 private:
  const protocol::Json& at(const char* key) const;

  protocol::Json values_;
};

}  // namespace windrow::worker
