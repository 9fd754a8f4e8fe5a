// Canonical JSON: sorted keys, no spaces, and numbers by value, so that 1, 1.0 and 1e0 are written
// alike. Identity hashes are taken of it, so what it writes must never change. Internal to sweeps/.
#pragma once

#include <optional>
#include <string>

#include "sweeps/study.h"

namespace windrow::sweeps {

void append_canonical(const Json& value, std::string& out);
std::string canonical(const Json& value);

// The content hash of everything a study says, and of nothing about how it is written down.
std::string study_hash(const Study& study);

// Makes the hashes of a study's cells.
class CellHasher {
 public:
  explicit CellHasher(const Study& study);
  // `identity`: the parameters that differ from the task's defaults.
  std::string hash(const Json& identity);

 private:
  std::string head_;
  std::string tail_;
  std::string text_;
};

}  // namespace windrow::sweeps
