// The table that a study's report asks for, out of the rows of a view.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/result_table.h"
#include "sweeps/study.h"

namespace windrow {

struct TableWishes {
  std::vector<sweeps::ReportColumn> columns;  // see default_columns()
  std::string sort_by;                        // a column's key; "" = the rows' order
  bool descending = false;
};

// How a mean and the half-width of its interval are written.
enum class Interval {
  joined,    // one column for people: "0.1477 ± 0.0012", rounded by the half-width
  separate,  // columns KEY and KEY_ci95 for programs, with all digits
};

// Tells the columns of `trials`, or what precedes the suffix in `summary`, apart.
class ColumnKinds {
 public:
  explicit ColumnKinds(const sweeps::Expansion& expansion);
  bool is_metric(const std::string& key) const;
  const std::vector<std::string>& varying() const { return varying_; }  // parameters that differ

 private:
  std::set<std::string> parameters_;
  std::vector<std::string> varying_;
};

// The columns of a study without `columns`: the parameters that differ, the seed where there are
// several, then metrics, epochs and time. `suffix` ends a metric's column: "" in `trials`, "_mean"
// in `summary`.
std::vector<sweeps::ReportColumn> default_columns(const storage::ResultTable& table,
                                                  const ColumnKinds& kinds, bool one_seed,
                                                  std::string_view suffix);

// Throws std::runtime_error that names the nearest column.
[[noreturn]] void refuse_column(const std::string& key, const storage::ResultTable& table,
                                std::string_view suffix);

// The half-width to two significant digits, and the mean to the same decimal place.
std::string with_interval(double mean, double half_width);

// Rows of the `trials` view. Throws std::runtime_error: a key that is no column (the message names
// the nearest).
storage::ResultTable trials_report(const storage::ResultTable& trials, const TableWishes& wishes);

// Rows of the `summary` view: metrics as means over the seeds with their 95% half-widths, and n.
storage::ResultTable summary_report(const storage::ResultTable& summary, const TableWishes& wishes,
                                    Interval interval);

}  // namespace windrow
