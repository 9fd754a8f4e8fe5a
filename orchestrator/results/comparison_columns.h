// The columns of a study's table that compare its rows with the best one.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/analysis/comparison.h"
#include "orchestrator/results/study_table.h"

namespace windrow {

// Appends a column with a value for each row.
void add_column(storage::ResultTable& table, const std::string& name,
                std::vector<storage::Value> values);

// Each appends columns to the rows of the view `summary`, and asks for them in `wishes`.
// `compared`: the rows' cells.

// The difference with its interval and p as texts, and a column of marks, which goes through
// sorting with the rows; place_marks() takes it out again.
void add_comparison_for_people(storage::ResultTable& summary, TableWishes& wishes,
                               const analysis::Comparison& compared, bool adjusted);
// is_best, difference, difference_ci95, difference_n, p, p_holm.
void add_comparison_for_programs(storage::ResultTable& summary, TableWishes& wishes,
                                 const analysis::Comparison& compared);

// Emphasizes the best row's value of the metric, puts a dagger after those that can't be told from
// it, and adds the notes that explain both. Does nothing to a table without a column of marks.
void place_marks(StudyTable& out, const TableWishes& wishes, const std::string& metric,
                 const analysis::Comparison& compared, bool adjusted);

}  // namespace windrow
