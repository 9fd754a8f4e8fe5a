// The names of parameters and metrics that the database has seen, and the columns they get in the
// views. Internal to storage/.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database.h"

namespace windrow::storage {

struct MetricName {
  std::int64_t id = 0;
  std::string name;
  bool of_epochs = false;  // seen in an epoch; otherwise only as a fact or result of a trial
};

// Interns names in the database, with a copy in memory so that known ones cost a look-up. Used
// inside transactions; after one that was rolled back, load() must be called.
class Names {
 public:
  explicit Names(Database& database) : database_(database) {}
  void load();

  // The id of a metric, which is made where it is new.
  std::int64_t epoch_metric(std::string_view name) { return intern(name, true); }
  std::int64_t trial_metric(std::string_view name) { return intern(name, false); }
  void parameter(std::string_view name);

  // After a part of a transaction was rolled back: load(), and names of the other part may be new.
  void load_after_savepoint() {
    load();
    changed_ = true;
  }

  // True once after a name became known that the views have no column for yet.
  bool take_changed();

  const std::vector<MetricName>& metrics() const { return metrics_; }
  const std::vector<std::string>& parameters() const { return parameters_; }

 private:
  std::int64_t intern(std::string_view name, bool of_epochs);

  Database& database_;
  std::vector<MetricName> metrics_;      // in the order in which they became known
  std::vector<std::string> parameters_;  // likewise
  std::map<std::string, std::size_t, std::less<>> metric_index_;
  std::set<std::string, std::less<>> known_parameters_;
  bool changed_ = false;
};

struct ParameterColumn {
  std::string name;
  std::string column;
};
struct MetricColumn {
  MetricName metric;
  std::string column;             // in trials and epochs
  std::string mean, sd, ci95, n;  // in summary
};
struct Columns {
  std::vector<ParameterColumn> parameters;
  std::vector<MetricColumn> metrics;
};

// One column name for each, the same in every view. A name that equals (SQLite ignores case) a
// fixed column of a view gets the suffix _parameter or _metric; so do a metric that has a
// parameter's name, and several that differ by case alone.
Columns name_columns(const std::vector<std::string>& parameters,
                     const std::vector<MetricName>& metrics);

}  // namespace windrow::storage
