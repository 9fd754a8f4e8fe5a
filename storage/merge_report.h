// What became of another database's trials.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace windrow::storage {

struct MergeConflict {
  std::string study;
  std::int64_t trial = 0, other = 0;  // numbers in this database and in the other one
  std::string what;                   // in which they differ
};

struct MergeReport {
  int taken = 0;                 // finished or failed trials that were new here, or not over here
  int same = 0;                  // over in both, and alike
  int unfinished = 0;            // not over there: their checkpoints belong to the other database
  int failed_here_finished = 0;  // failed there, finished here: nothing is taken
  std::vector<MergeConflict> conflicts;  // finished in both, differently: this one's stays
  std::vector<std::string> other_texts;  // studies whose text differs: this one's stays
};

}  // namespace windrow::storage
