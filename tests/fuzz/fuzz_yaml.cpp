// Study files: refused with StudyError, or parsed to a study whose own text is the same study.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "sweeps/study.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace windrow::sweeps;
  try {
    const Study study =
        parse_study(std::string(reinterpret_cast<const char*>(data), size), "s.yaml");
    const Study again = parse_study(study.text, "again");
    if (again.hash != study.hash) {
      std::cerr << "another study came out of:\n" << study.text << "\n";
      std::abort();
    }
  } catch (const StudyError&) {
  }
  return 0;
}
