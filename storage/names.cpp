#include "storage/names.h"

#include <array>
#include <utility>

#include "protocol/text.h"

namespace windrow::storage {

void Names::load() {
  metrics_.clear();
  parameters_.clear();
  metric_index_.clear();
  known_parameters_.clear();
  changed_ = false;
  Statement metrics(database_, "SELECT id, name, of_epochs FROM metric ORDER BY id");
  while (metrics.step()) {
    metric_index_.emplace(metrics.text(1), metrics_.size());
    metrics_.push_back({metrics.integer(0), std::string(metrics.text(1)), metrics.integer(2) != 0});
  }
  Statement parameters(database_, "SELECT name FROM parameter ORDER BY id");
  while (parameters.step()) {
    known_parameters_.emplace(parameters.text(0));
    parameters_.emplace_back(parameters.text(0));
  }
}

std::int64_t Names::intern(std::string_view name, bool of_epochs) {
  const auto found = metric_index_.find(name);
  if (found != metric_index_.end()) {
    MetricName& metric = metrics_[found->second];
    if (of_epochs && !metric.of_epochs) {
      Statement(database_, "UPDATE metric SET of_epochs = 1 WHERE id = ?1").run(metric.id);
      metric.of_epochs = changed_ = true;
    }
    return metric.id;
  }
  if (const std::string fault = protocol::name_fault(name); !fault.empty())
    throw BadRecord(protocol::quote(name) + " can't name a metric: " + fault);
  Statement(database_, "INSERT INTO metric (name, of_epochs) VALUES (?1, ?2)")
      .run(name, of_epochs ? 1 : 0);
  changed_ = true;
  metric_index_.emplace(name, metrics_.size());
  metrics_.push_back({database_.last_insert_id(), std::string(name), of_epochs});
  return metrics_.back().id;
}

void Names::parameter(std::string_view name) {
  if (known_parameters_.contains(name)) return;
  Statement(database_, "INSERT INTO parameter (name) VALUES (?1)").run(name);
  changed_ = true;
  known_parameters_.emplace(name);
  parameters_.emplace_back(name);
}

bool Names::take_changed() {
  return std::exchange(changed_, false);
}

// ---- columns

namespace {

// The fixed columns of trials, epochs and summary. One set for all views, so that a parameter or
// metric has the same name in each. The empty name can't be a column either.
constexpr auto kReserved = std::to_array<std::string_view>({"",
                                                            "trial",
                                                            "study",
                                                            "stages",
                                                            "cell",
                                                            "seed",
                                                            "state",
                                                            "attempts",
                                                            "epochs",
                                                            "wall_seconds",
                                                            "failure",
                                                            "host",
                                                            "device",
                                                            "epoch",
                                                            "attempt",
                                                            "members",
                                                            "state_hash",
                                                            "committed_at",
                                                            "n",
                                                            "epochs_mean",
                                                            "epochs_sd",
                                                            "epochs_ci95",
                                                            "wall_seconds_mean",
                                                            "wall_seconds_sd",
                                                            "wall_seconds_ci95"});

std::string lower(std::string_view name) {  // as SQLite compares: ASCII letters only
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

class Namer {
 public:
  Namer() {
    for (const auto name : kReserved) used_.emplace(name);
  }
  // Counts a name, so that its equals get suffixes.
  void announce(std::string_view name) { ++count_[lower(name)]; }
  // Takes the name as it is where nothing else wants it.
  bool take_plain(const std::string& name, std::string& column) {
    if (count_[lower(name)] > 1 || used_.contains(lower(name))) return false;
    used_.insert(lower(name));
    column = name;
    return true;
  }
  std::string take_suffixed(std::string name, const char* suffix) {
    do name += suffix;
    while (used_.contains(lower(name)));
    used_.insert(lower(name));
    return name;
  }
  std::string take(const std::string& name, const char* suffix) {
    if (!used_.insert(lower(name)).second) return take_suffixed(name, suffix);
    return name;
  }

 private:
  std::map<std::string, int> count_;
  std::set<std::string> used_;
};

}  // namespace

Columns name_columns(const std::vector<std::string>& parameters,
                     const std::vector<MetricName>& metrics) {
  Columns columns;
  for (const auto& name : parameters) columns.parameters.push_back({name, ""});
  for (const auto& metric : metrics) columns.metrics.push_back({metric, "", "", "", ""});
  Namer namer;
  // A parameter has its name before any metric: what is sorted or selected by it stays the same
  // when a trainer begins to report a metric so called.
  for (const auto& p : columns.parameters) namer.announce(p.name);
  // Plain names first: a suffix must not take the name of something that is called so.
  for (auto& p : columns.parameters) namer.take_plain(p.name, p.column);
  for (const auto& m : columns.metrics) namer.announce(m.metric.name);
  for (auto& m : columns.metrics) namer.take_plain(m.metric.name, m.column);
  for (auto& p : columns.parameters)
    if (p.column.empty()) p.column = namer.take_suffixed(p.name, "_parameter");
  for (auto& m : columns.metrics)
    if (m.column.empty()) m.column = namer.take_suffixed(m.metric.name, "_metric");
  for (auto& m : columns.metrics) {
    m.mean = namer.take(m.column + "_mean", "_metric");
    m.sd = namer.take(m.column + "_sd", "_metric");
    m.ci95 = namer.take(m.column + "_ci95", "_metric");
    m.n = namer.take(m.column + "_n", "_metric");
  }
  return columns;
}

}  // namespace windrow::storage
