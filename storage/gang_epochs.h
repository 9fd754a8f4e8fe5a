// How long epochs took that several slots trained together. Internal to storage/.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "storage/database.h"

namespace windrow::storage {

struct EpochSeconds {
  double alone = 0;                // mean of the epochs that one slot trained; 0: none
  std::map<int, double> together;  // means of the others, by the number of slots
};

// Of those trials of the study that have epochs of several slots, which are few, by trial. Nothing
// from a file of an earlier schema, which doesn't tell.
std::map<std::int64_t, EpochSeconds> gang_epoch_seconds(Database& database,
                                                        const std::string& study);

}  // namespace windrow::storage
