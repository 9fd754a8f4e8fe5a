// Epochs as they were recorded, against the same ones trained again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "storage/reader.h"

namespace windrow {

struct RecordedEpoch {
  std::string state_hash;                 // "" where the trainer gives none
  std::map<std::string, double> metrics;  // what is no number is left out
};
using RecordedEpochs = std::map<int, RecordedEpoch>;  // by number

RecordedEpochs recorded_epochs(storage::Reader& reader, std::int64_t trial);
// What computed them: "cpu in float32", several with commas; "" where the trainer doesn't say.
std::string computed_by(storage::Reader& reader, std::int64_t trial);

struct Verified {
  int compared = 0;    // epochs that both have
  int by_state = 0;    // of them, by the hash of weights and optimizer; the others by their metrics
  int differs_at = 0;  // the first epoch that differs; 0: none
  std::string what;    // that differs: "the state", "val_loss: 0.25 on record, 0.26 now"
  int missing = 0;     // on record and not trained again
  bool holds() const { return compared > 0 && differs_at == 0; }
};

// Of the epochs up to `last` (0: all) on record.
Verified verify(const RecordedEpochs& record, const RecordedEpochs& again, int last = 0);

}  // namespace windrow
