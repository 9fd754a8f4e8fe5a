// Study texts as the tests write them.
#pragma once

#include <string>

#include "sweeps/study.h"

namespace windrow::sweeps {

inline Study parse(const std::string& text) {
  return parse_study(text, "s.yaml");
}
// A study of a program of one's own; `rest` begins in line 3.
inline Study parse_own(const std::string& rest) {
  return parse("study: s\ntrainer: {command: [x]}\n" + rest);
}

}  // namespace windrow::sweeps
