// The trials that a figure is about, as rows of the view `trials`, and how their cells are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow::report {

// The study's trials in grid order. Cells that the study no longer has are not among them.
class TrialRows {
 public:
  // Those of the figure's stage that have the values of its `where`.
  TrialRows(storage::Reader& reader, const sweeps::Study& study, const sweeps::Figure& figure);

  std::size_t size() const { return table_.rows.size(); }
  bool has(const std::string& key) const { return column_of(key).has_value(); }
  // A column of the view; a parameter is found by its name too where it has the suffix _parameter.
  // NULL where there is none so named.
  const storage::Value& value(std::size_t row, const std::string& key) const;
  std::optional<double> number(std::size_t row, const std::string& key) const;
  std::int64_t trial(std::size_t row) const;
  std::string text(std::size_t row, const std::string& key) const;

  // Of `keys`, those that differ between the trials.
  std::vector<std::string> differing(const std::vector<std::string>& keys) const;

 private:
  std::optional<std::size_t> column_of(const std::string& key) const;
  bool matches(const std::vector<storage::Value>& row, const sweeps::Json& where) const;

  storage::ResultTable table_;
};

// Trials that a line, a matrix or a point stands for.
struct Group {
  std::string label;  // "adam, dropout 0.25"; "" where `keys` is empty
  std::vector<std::size_t> rows;
};

// By the values of `keys`, in the order of their first trial.
std::vector<Group> group_by(const TrialRows& trials, const std::vector<std::string>& keys,
                            const sweeps::Report& report);

// The heading of a key in the report's columns, else the key.
std::string heading(const sweeps::Report& report, const std::string& key);

// For people: six significant digits.
std::string value_text(const storage::Value& value);

}  // namespace windrow::report
