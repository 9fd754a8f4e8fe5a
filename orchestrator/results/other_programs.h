// Which of a study's results another program made than the one there is.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocol/messages.h"
#include "storage/reader.h"

namespace windrow {

struct OtherPrograms {
  std::vector<TrialId> trials;  // that have epochs, or the result, of another program
  std::set<std::string> cells;  // hashes of theirs
  int finished = 0;             // of these trials
  std::string difference;       // from the one that made the last of them, for people
};

// Of these cells (hashes). Trials of which no program is on record are none of them.
OtherPrograms other_programs(storage::Reader& reader, const std::string& study,
                             const std::set<std::string>& cells, const protocol::Program& now);

// "4 finished trials and the beginning of 1 are of another program: train.py differs"
std::string describe(const OtherPrograms& others);

// For tables: what isn't wholly of the newest of the study's programs. "older": it has nothing of
// that one; "mixed": it has something of it and of others.
struct ProgramMarks {
  std::map<std::string, std::string> cells;    // by hash
  std::map<std::int64_t, std::string> trials;  // by number
  std::string difference;                      // from the program before the newest to it
  bool any() const { return !cells.empty(); }
};
ProgramMarks program_marks(storage::Reader& reader, const std::string& study);

}  // namespace windrow
