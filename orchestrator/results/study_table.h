// A study's table as `windrow table` shows it: finished results, failed ones named as such, cells
// compared with the best one.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/results/report_table.h"
#include "storage/reader.h"

namespace windrow {

struct StudyTableWishes {
  std::string stage;  // "" = all
  TableWishes table;
  bool columns_asked = false;  // by the user, so that an unknown one is refused
  bool each_trial = false;     // a row a trial; so it is with one seed anyway
  bool unfinished = false;     // also what has no result yet
  bool for_people = true;      // else: a column for each number, all digits
  bool adjusted = true;        // p-values for people: by Holm's method
  std::optional<sweeps::ReportComparison> compare;  // absent: the sort column, if it is a metric
};

struct StudyTable {
  storage::ResultTable table;
  std::set<std::pair<std::size_t, std::size_t>> emphasized;  // row, column: the best
  std::set<std::string> measured;  // columns of metrics and times, which are set decimal by decimal
  std::vector<std::string> notes;  // what the marks in it mean
  std::vector<std::string> remarks;  // what isn't in it, and why
};

// Throws std::runtime_error: a column or metric that isn't there.
StudyTable make_study_table(storage::Reader& reader, const sweeps::Study& study,
                            const StudyTableWishes& wishes);

}  // namespace windrow
