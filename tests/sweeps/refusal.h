// Table-driven tests of refusals: a study file and exactly what is said of it.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "sweeps/study.h"

namespace windrow::sweeps {

struct Refusal {
  const char* name;  // of the test
  std::string text;  // of the file s.yaml
  std::string error;
};

inline void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

inline std::string refusal_name(const testing::TestParamInfo<Refusal>& info) {
  return info.param.name;
}

// What parse_study() says of it; "" where it is accepted.
inline std::string error_of(const std::string& text, const std::vector<Override>& overrides = {}) {
  try {
    parse_study(text, "s.yaml", overrides);
  } catch (const StudyError& error) {
    return error.what();
  }
  return "";
}

}  // namespace windrow::sweeps
