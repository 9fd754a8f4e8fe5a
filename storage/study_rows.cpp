#include "storage/study_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "storage/clock.h"
#include "storage/names.h"
#include "storage/reader_query.h"
#include "storage/records.h"
#include "storage/trial_state.h"

namespace windrow::storage {
namespace {

constexpr std::int64_t kNoPlace = std::numeric_limits<std::int64_t>::max();

struct Cell {
  std::string study, hash, stages;
  std::int64_t place = kNoPlace;
  bool wanted = true;  // in the stage that is asked for
  std::map<std::string, Value> parameters;
};

struct Trial {
  std::size_t cell = 0;
  std::int64_t id = 0, seed = 0, attempts = 0, epochs = 0;
  TrialState state = TrialState::pending;
  Value wall_seconds, failure, host, device;
  struct Metric {
    std::size_t place;  // in Names::metrics()
    Value value;
  };
  std::vector<Metric> metrics;  // by place

  Value metric(std::size_t place) const {
    const auto found = std::ranges::lower_bound(metrics, place, {}, &Metric::place);
    return found != metrics.end() && found->place == place ? found->value : Value{};
  }
};

// A list or object is its JSON.
Value value_of(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  return json.dump();
}

Value value_at(const Statement& statement, int column) {
  switch (statement.type(column)) {
    case Statement::Type::integer:
      return statement.integer(column);
    case Statement::Type::real:
      return statement.real(column);
    case Statement::Type::text:
      return std::string(statement.text(column));
    case Statement::Type::null:
      break;
  }
  return {};
}

std::optional<double> number(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

std::string state_name(TrialState state) {
  switch (state) {
    case TrialState::pending:
      return "pending";
    case TrialState::running:
      return "running";
    case TrialState::finished:
      return "finished";
    case TrialState::failed:
      break;
  }
  return "failed";
}

// Which cells (c) and trials (t) are read; ?1 is the study's name or the trial's number.
struct Scope {
  std::string cells, trials;
};
const Scope kStudy = {"c.study = (SELECT id FROM study WHERE name = ?1)", "1"};
const Scope kTrial = {"c.id = (SELECT cell FROM trial WHERE id = ?1)", "t.id = ?1"};

class Rows {
 public:
  template <class Key>
  Rows(Database& database, const Scope& scope, const Key& key, const std::string& stage)
      : database_(database), names_(database) {
    names_.load();
    for (std::size_t i = 0; i < names_.metrics().size(); ++i)
      metric_place_[names_.metrics()[i].id] = i;
    columns_ = name_columns(names_.parameters(), names_.metrics());
    read_cells(scope, key);
    read_stages(scope, key, stage);
    read_trials(scope, key);
    read_trial_metrics(scope, key);
    read_last_epochs(scope, key);
    const auto order = [this](const Trial& trial) {
      return std::tuple(cells_[trial.cell].place, trial.cell, trial.seed, trial.id);
    };
    std::ranges::sort(trials_, [&](const Trial& a, const Trial& b) { return order(a) < order(b); });
  }

  ResultTable trials() const;
  ResultTable summary() const;

 private:
  template <class Key>
  void read_cells(const Scope& scope, const Key& key) {
    Statement select(database_,
                     "SELECT c.id, s.name, c.hash, c.parameters FROM cell c "
                     "JOIN study s ON s.id = c.study WHERE " +
                         scope.cells + " ORDER BY c.id");
    select.bind(key);
    while (select.step()) {
      cell_place_[select.integer(0)] = cells_.size();
      Cell& cell = cells_.emplace_back();
      cell.study = select.text(1);
      cell.hash = select.text(2);
      const Json parameters = Json::parse(select.text(3));
      for (const auto& [name, value] : parameters.items()) cell.parameters[name] = value_of(value);
    }
  }
  template <class Key>
  void read_stages(const Scope& scope, const Key& key, const std::string& stage) {
    for (Cell& cell : cells_) cell.wanted = stage.empty();
    Statement select(database_,
                     "SELECT m.cell, g.name, g.position * 1000000000 + m.position FROM cell c "
                     "JOIN stage_cell m ON m.cell = c.id JOIN stage g ON g.id = m.stage WHERE " +
                         scope.cells + " ORDER BY m.cell, g.position");
    select.bind(key);
    while (select.step()) {
      Cell& cell = cells_[cell_place_.at(select.integer(0))];
      cell.stages += (cell.stages.empty() ? "" : ",") + std::string(select.text(1));
      if (!stage.empty() && stage != select.text(1)) continue;
      cell.wanted = true;
      cell.place = std::min(cell.place, select.integer(2));
    }
  }
  template <class Key>
  void read_trials(const Scope& scope, const Key& key) {
    Statement select(database_,
                     "SELECT t.id, t.cell, t.seed, t.state, t.attempts, t.epochs, t.wall_seconds, "
                     "t.failure, a.host, a.device, (a.ended_at - a.began_at) / 1000.0 "
                     "FROM cell c JOIN trial t ON t.cell = c.id LEFT JOIN attempt a "
                     "ON a.trial = t.id AND a.attempt = t.attempts WHERE " +
                         scope.cells + " AND " + scope.trials);
    select.bind(key);
    while (select.step()) {
      const std::size_t cell = cell_place_.at(select.integer(1));
      if (!cells_[cell].wanted) continue;
      trial_place_[select.integer(0)] = trials_.size();
      Trial& trial = trials_.emplace_back();
      trial.cell = cell;
      trial.id = select.integer(0);
      trial.seed = select.integer(2);
      trial.state = static_cast<TrialState>(select.integer(3));
      trial.attempts = select.integer(4);
      const bool finished = trial.state == TrialState::finished;
      trial.epochs = finished ? select.integer(5) : 0;
      trial.wall_seconds = value_at(select, finished ? 6 : 10);
      trial.failure = value_at(select, 7);
      trial.host = value_at(select, 8);
      trial.device = value_at(select, 9);
    }
  }
  template <class Key>
  void read_trial_metrics(const Scope& scope, const Key& key) {
    Statement select(database_,
                     "SELECT r.trial, r.metric, r.value FROM cell c JOIN trial t ON t.cell = c.id "
                     "JOIN trial_metric r ON r.trial = t.id WHERE " +
                         scope.cells + " AND " + scope.trials);
    select.bind(key);
    while (select.step()) put_metric(select.integer(0), select.integer(1), value_at(select, 2));
  }
  // Of what is not finished: its last epoch stands for a result, facts stand behind it.
  template <class Key>
  void read_last_epochs(const Scope& scope, const Key& key) {
    Statement metrics(database_, "SELECT metric, value FROM epoch_metric WHERE epoch_id = ?1");
    Statement select(database_,
                     "SELECT t.id, max(e.epoch), sum(e.wall_seconds), e.id FROM cell c "
                     "JOIN trial t ON t.cell = c.id JOIN epoch e ON e.trial = t.id WHERE " +
                         scope.cells + " AND " + scope.trials + " AND t.state <> 2 GROUP BY t.id");
    select.bind(key);
    while (select.step()) {
      const auto found = trial_place_.find(select.integer(0));
      if (found == trial_place_.end()) continue;
      trials_[found->second].epochs = select.integer(1);
      trials_[found->second].wall_seconds = select.real(2);
      metrics.bind(select.integer(3));
      while (metrics.step())
        put_metric(select.integer(0), metrics.integer(0), value_at(metrics, 1));
    }
  }

  void put_metric(std::int64_t trial, std::int64_t metric, Value value) {
    const auto found = trial_place_.find(trial);
    const auto place = metric_place_.find(metric);
    if (found == trial_place_.end() || place == metric_place_.end() || value.index() == 0) return;
    used_metrics_.insert(place->second);
    auto& metrics = trials_[found->second].metrics;
    const auto at = std::ranges::lower_bound(metrics, place->second, {}, &Trial::Metric::place);
    if (at != metrics.end() && at->place == place->second)
      at->value = std::move(value);
    else
      metrics.insert(at, {place->second, std::move(value)});
  }

  std::vector<const ParameterColumn*> used_parameters() const {
    std::set<std::string> used;
    for (const Cell& cell : cells_)
      if (cell.wanted)
        for (const auto& [name, value] : cell.parameters) used.insert(name);
    std::vector<const ParameterColumn*> columns;
    for (const ParameterColumn& column : columns_.parameters)
      if (used.contains(column.name)) columns.push_back(&column);
    return columns;
  }

  Database& database_;
  Names names_;
  Columns columns_;
  std::vector<Cell> cells_;  // by id
  std::vector<Trial> trials_;
  std::unordered_map<std::int64_t, std::size_t> cell_place_, trial_place_, metric_place_;
  std::set<std::size_t> used_metrics_;
};

Value parameter(const Cell& cell, const ParameterColumn& column) {
  const auto found = cell.parameters.find(column.name);
  return found == cell.parameters.end() ? Value{} : found->second;
}

ResultTable Rows::trials() const {
  const auto parameters = used_parameters();
  ResultTable table;
  table.columns = {"trial", "study", "stages", "cell", "seed", "state", "attempts", "epochs"};
  for (const auto* column : parameters) table.columns.push_back(column->column);
  for (const std::size_t i : used_metrics_) table.columns.push_back(columns_.metrics[i].column);
  for (const char* name : {"wall_seconds", "failure", "host", "device"})
    table.columns.emplace_back(name);
  table.rows.reserve(trials_.size());
  for (const Trial& trial : trials_) {
    const Cell& cell = cells_[trial.cell];
    auto& row = table.rows.emplace_back();
    row.reserve(table.columns.size());
    row.emplace_back(trial.id);
    row.emplace_back(cell.study);
    row.emplace_back(cell.stages);
    row.emplace_back(cell.hash);
    row.emplace_back(trial.seed);
    row.emplace_back(state_name(trial.state));
    row.emplace_back(trial.attempts);
    row.emplace_back(trial.epochs);
    for (const auto* column : parameters) row.push_back(parameter(cell, *column));
    for (const std::size_t i : used_metrics_) row.push_back(trial.metric(i));
    for (const Value* value : {&trial.wall_seconds, &trial.failure, &trial.host, &trial.device})
      row.push_back(*value);
  }
  return without_empty_columns(std::move(table));
}

// ---- summary

// 0.975 quantiles of Student's t. Between two entries the smaller number of degrees of freedom.
class Quantiles {
 public:
  explicit Quantiles(Database& database) {
    Statement select(database, "SELECT df, t975 FROM student_t");
    while (select.step()) table_[select.integer(0)] = select.real(1);
  }
  double at(std::size_t df) const {
    const auto above = table_.upper_bound(static_cast<std::int64_t>(df));
    return above == table_.begin() ? std::numeric_limits<double>::quiet_NaN()
                                   : std::prev(above)->second;
  }

 private:
  std::map<std::int64_t, double> table_;
};

// mean, sd, ci95. Two passes: the one-pass sum of squares loses the digits that matter.
void add_statistics(const std::vector<double>& values, const Quantiles& quantiles,
                    std::vector<Value>& row) {
  const std::size_t n = values.size();
  if (n == 0) return row.resize(row.size() + 3);
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(n);
  for (const double value : values) squares += (value - mean) * (value - mean);
  row.emplace_back(mean);
  if (n < 2) return row.resize(row.size() + 2);
  const double sd = std::sqrt(squares / static_cast<double>(n - 1));
  row.emplace_back(sd);
  row.emplace_back(sd / std::sqrt(static_cast<double>(n)) * quantiles.at(n - 1));
}

ResultTable Rows::summary() const {
  const Quantiles quantiles(database_);
  const auto parameters = used_parameters();
  ResultTable table;
  table.columns = {"study", "stages", "cell"};
  for (const auto* column : parameters) table.columns.push_back(column->column);
  table.columns.emplace_back("n");
  for (const std::size_t i : used_metrics_) {
    const MetricColumn& metric = columns_.metrics[i];
    table.columns.insert(table.columns.end(), {metric.mean, metric.sd, metric.ci95, metric.n});
  }
  for (const char* name : {"epochs_mean", "epochs_sd", "epochs_ci95", "wall_seconds_mean",
                           "wall_seconds_sd", "wall_seconds_ci95"})
    table.columns.emplace_back(name);

  std::vector<std::vector<const Trial*>> finished(cells_.size());
  for (const Trial& trial : trials_)
    if (trial.state == TrialState::finished) finished[trial.cell].push_back(&trial);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    if (cells_[i].wanted) order.push_back(i);
  std::ranges::stable_sort(order, {}, [this](std::size_t i) { return cells_[i].place; });
  // Returns how many of the trials have the number.
  const auto add = [&](const std::vector<const Trial*>& trials, std::vector<Value>& row,
                       const auto& value_of) {
    std::vector<double> values;
    for (const Trial* trial : trials)
      if (const auto value = number(value_of(*trial))) values.push_back(*value);
    add_statistics(values, quantiles, row);
    return static_cast<std::int64_t>(values.size());
  };
  for (const std::size_t i : order) {
    const auto& trials = finished[i];
    auto& row = table.rows.emplace_back();
    row = {cells_[i].study, cells_[i].stages, cells_[i].hash};
    for (const auto* column : parameters) row.push_back(parameter(cells_[i], *column));
    row.emplace_back(static_cast<std::int64_t>(trials.size()));
    for (const std::size_t metric : used_metrics_) {
      const std::int64_t n =
          add(trials, row, [metric](const Trial& trial) { return trial.metric(metric); });
      row.push_back(n > 0 ? Value{n} : Value{});
    }
    add(trials, row, [](const Trial& trial) { return Value{trial.epochs}; });
    add(trials, row, [](const Trial& trial) { return trial.wall_seconds; });
  }
  return without_empty_columns(std::move(table));
}

}  // namespace

StudyTables study_tables(Database& database, const std::string& study, const std::string& stage) {
  const Rows rows(database, kStudy, study, stage);
  return {rows.trials(), rows.summary()};
}

ResultTable trial_row(Database& database, std::int64_t trial) {
  return Rows(database, kTrial, trial, "").trials();
}

ResultTable epoch_rows(Database& database, std::int64_t trial, int last) {
  Names names(database);
  names.load();
  const Columns columns = name_columns(names.parameters(), names.metrics());
  std::map<std::int64_t, std::size_t> place;  // by the metric's id, in `table`
  ResultTable table;
  table.columns = {"trial", "epoch", "attempt", "wall_seconds", "state_hash", "committed_at"};
  for (const MetricColumn& column : columns.metrics) {
    if (!column.metric.of_epochs) continue;
    place[column.metric.id] = table.columns.size();
    table.columns.push_back(column.column);
  }
  Statement epochs(database,
                   "SELECT id, epoch, attempt, wall_seconds, state_hash, committed_at FROM epoch "
                   "WHERE trial = ?1 ORDER BY epoch DESC LIMIT ?2");
  Statement metrics(database, "SELECT metric, value FROM epoch_metric WHERE epoch_id = ?1");
  epochs.bind(trial, last > 0 ? last : -1);
  while (epochs.step()) {
    auto& row = table.rows.emplace_back(table.columns.size());
    row[0] = trial;
    for (int i = 1; i < 5; ++i) row[static_cast<std::size_t>(i)] = value_at(epochs, i);
    row[5] = iso_time(epochs.integer(5));
    metrics.bind(epochs.integer(0));
    while (metrics.step())
      if (const auto found = place.find(metrics.integer(0)); found != place.end())
        row[found->second] = value_at(metrics, 1);
  }
  std::ranges::reverse(table.rows);
  return without_empty_columns(std::move(table));
}

}  // namespace windrow::storage
