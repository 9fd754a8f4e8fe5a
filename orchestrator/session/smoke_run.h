// `windrow run --smoke`: what a short trial of a study's cells told.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow {

struct SmokeCell {
  sweeps::Json parameters;  // as it was tried
  bool works = false;       // an epoch, or all of a trial without epochs
  std::string failure;      // "oom: CUDA out of memory"; "" = none
  double epoch_seconds = 0, seconds = 0;
  double peak_memory = 0, peak_device_memory = 0;  // bytes; 0: not known
};

struct SmokeResult {
  std::vector<SmokeCell> cells;
  std::vector<std::string> varying;
  std::int64_t trials = 0;  // of the whole study, as far as its stages are known
  bool measured = false;    // else nothing is known of the time
  int slots = 1;
  double slot_hours = 0, hours = 0;  // on so many slots
  bool works() const;
};

// `reader`: of the database that the short study was run into.
SmokeResult read_smoke(storage::Reader& reader, const sweeps::Study& whole, int slots);

std::string smoke_text(const SmokeResult& result);
nlohmann::ordered_json smoke_json(const SmokeResult& result);

}  // namespace windrow
