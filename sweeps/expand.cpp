#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "protocol/nearest.h"
#include "sweeps/canonical.h"
#include "sweeps/grid_rules.h"
#include "sweeps/stages.h"
#include "sweeps/study.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {
namespace {

class Expander {
 public:
  Expander(const Study& study, const CellMetrics& metrics, const std::vector<std::string>& complete,
           const StageFailures& failures)
      : study_(study), metrics_(metrics), complete_(complete), failures_(failures), hasher_(study) {
    if (study.task.empty()) return;
    task_ = find_task(study.task);
    if (!task_)
      throw StudyError("study " + study.name + ": task: there is no task " + study.task +
                       " in this version of Windrow; use the version that the study is from");
  }

  Expansion run() {
    for (const Stage& stage : study_.stages) expand_stage(stage);
    if (!faults_.empty()) throw StudyError(faults_);
    find_varying();
    return std::move(out_);
  }

 private:
  void expand_stage(const Stage& stage) {
    StageState& state = out_.stages[stage.name];
    std::vector<Json> selected = {Json::object()};
    if (stage.best) {
      state = selection_state(*stage.best);
      if (state.kind == StageState::Kind::expanded) selected = select(stage, state);
      if (state.kind != StageState::Kind::expanded) return;
    }
    Json parameters = study_.parameters;
    parameters.update(stage.parameters);
    rules_.emplace(stage, task_);
    first_rule_ = out_.rules.size();
    for (const Condition& rule : stage.when)
      out_.rules.push_back({.stage = stage.name, .rule = when_text(rule)});
    for (const Json& rule : stage.exclude)
      out_.rules.push_back({.stage = stage.name, .rule = exclude_text(rule)});
    static const std::vector<Json> kNoCases = {Json::object()};
    for (const Json& taken : selected) {
      for (const Json& one : stage.cases.empty() ? kNoCases : stage.cases) {
        // A fresh copy: cases may have different keys, and one must not leave its own to the next.
        Json given = parameters;
        given.update(taken);
        given.update(one);
        expand_zips(stage, 0, given);
      }
    }
    if (members_[stage.name].empty())
      add_fault(stage,
                "nothing is left of it: `exclude` takes every combination; remove a part of "
                "it");
  }

  void expand_zips(const Stage& stage, std::size_t group, Json& parameters) {
    if (group == stage.zips.size()) {
      expand_grid(stage, 0, parameters);
      return;
    }
    const std::vector<GridAxis>& axes = stage.zips[group];
    for (std::size_t i = 0; i < axes.front().second.size(); ++i) {
      for (const auto& [key, values] : axes) parameters[key] = values[i];
      expand_zips(stage, group + 1, parameters);
    }
  }

  // The last axis is the fastest.
  void expand_grid(const Stage& stage, std::size_t axis, Json& parameters) {
    if (axis == stage.grid.size()) {
      add_combination(stage, parameters);
      return;
    }
    Json& place = parameters[stage.grid[axis].first];
    for (const Json& value : stage.grid[axis].second) {
      place = value;
      expand_grid(stage, axis + 1, parameters);
    }
  }

  void add_combination(const Stage& stage, const Json& parameters) {
    if (stage.when.empty() && stage.exclude.empty()) {
      add_cell(stage, parameters);
      return;
    }
    Json given = parameters;
    const auto lost = rules_->apply_when(given);
    if (const auto excluded = rules_->excluded_by(given)) {
      ++out_.rules[first_rule_ + stage.when.size() + *excluded].excluded;
      return;
    }
    const bool is_new = add_cell(stage, given);
    if (!lost) return;
    RuleEffect& effect = out_.rules[first_rule_ + *lost];
    ++effect.applied;
    effect.merged += !is_new;
  }

  // Whether the stage did not have it yet.
  bool add_cell(const Stage& stage, const Json& given) {
    Json complete = task_ ? complete_cell(stage, given) : given;
    std::string hash = hasher_.hash(task_ ? identity_parameters(*task_, complete) : complete);
    const auto [seen, is_new] = index_.emplace(hash, out_.cells.size());
    if (is_new) out_.cells.push_back({std::move(hash), std::move(complete), {}, {}});
    // Stages are expanded one after the other, so the last one is this one if it was seen before.
    Cell& cell = out_.cells[seen->second];
    if (!cell.stages.empty() && cell.stages.back() == stage.name) return false;
    std::vector<std::size_t>& members = members_[stage.name];
    cell.stages.push_back(stage.name);
    cell.places.push_back(static_cast<int>(members.size()));
    members.push_back(seen->second);
    return true;
  }

  void add_fault(const Stage& stage, const std::string& message) {
    if (!faults_.empty()) faults_ += '\n';
    faults_.append("study ").append(study_.name).append(", stage ").append(stage.name);
    faults_.append(": ").append(message);
  }

  Json complete_cell(const Stage& stage, const Json& given) {
    std::vector<ParameterFault> faults;
    Json complete = complete_parameters(*task_, given, faults);
    add_faults(stage, given, faults);
    return complete;
  }

  void add_faults(const Stage& stage, const Json& given,
                  const std::vector<ParameterFault>& faults) {
    static constexpr int kMostFaults = 20;
    for (const ParameterFault& fault : faults) {
      if (fault_count_++ >= kMostFaults) return;
      if (!faults_.empty()) faults_ += '\n';
      faults_.append("study ").append(study_.name).append(", stage ").append(stage.name);
      faults_.append(", cell ").append(given.dump()).append(": ").append(fault.key);
      faults_.append(": ").append(fault.message);
    }
  }

  StageState selection_state(const Selection& best) const {
    using enum StageState::Kind;
    const auto from = out_.stages.find(best.of);
    if (from == out_.stages.end())
      return {impossible, "there is no stage " + best.of + " before it"};
    if (from->second.kind == impossible)
      return {impossible,
              "stage " + best.of + ", which it selects from, has no cells: " + from->second.reason};
    if (from->second.kind == waiting || std::ranges::find(complete_, best.of) == complete_.end())
      return {waiting, "waits for stage " + best.of};
    if (const std::string why = machine_failures(best); !why.empty()) return {impossible, why};
    return {};
  }

  // A cell that is missing for the machine's reasons may be the best one.
  std::string machine_failures(const Selection& best) const {
    const auto found = failures_.find(best.of);
    if (found == failures_.end()) return "";
    int trials = 0;
    std::vector<std::string> kinds;
    for (const auto& [kind, count] : found->second) {
      if (!is_machines(kind) || std::ranges::find(best.despite, kind) != best.despite.end())
        continue;
      trials += count;
      kinds.emplace_back(protocol::to_string(kind));
    }
    if (trials == 0) return "";
    return std::to_string(trials) + " trial" + (trials == 1 ? "" : "s") + " of stage " + best.of +
           " failed (" + joined(kinds) +
           "), and the best cell may be among them: run them again with `windrow retry`, or select "
           "without them by `despite: [" +
           joined(kinds) + "]` under best:";
  }
  static bool is_machines(protocol::FailureKind kind) {
    using enum protocol::FailureKind;
    return kind == crash || kind == cuda || kind == hang || kind == data || kind == node;
  }

  // The taken parameters of the best cells, best first. Sets `state` to impossible without any, and
  // its reason where there are fewer than wanted.
  std::vector<Json> select(const Stage& stage, StageState& state) {
    const Selection& best = *stage.best;
    struct Ranked {
      std::size_t cell;
      double value;
    };
    std::vector<Ranked> ranking;
    std::vector<std::string> reported;
    for (const std::size_t index : members_[best.of]) {
      const auto found = metrics_.find(out_.cells[index].hash);
      if (found == metrics_.end()) continue;
      if (reported.empty())
        for (const auto& [name, value] : found->second) reported.push_back(name);
      const auto metric = found->second.find(best.by);
      if (metric != found->second.end() && !std::isnan(metric->second))
        ranking.push_back({index, metric->second});
    }
    if (ranking.empty()) {
      state = {StageState::Kind::impossible, no_ranking(best, reported)};
      return {};
    }
    if (ranking.size() < static_cast<std::size_t>(best.count))
      state.reason = "selects " + std::to_string(ranking.size()) + " of the " +
                     std::to_string(best.count) + " wanted: only so many of the " +
                     std::to_string(members_[best.of].size()) + " cells of stage " + best.of +
                     " have a number as metric " + best.by;
    std::ranges::stable_sort(ranking, [&](const Ranked& a, const Ranked& b) {
      return best.goal == protocol::Goal::minimize ? a.value < b.value : a.value > b.value;
    });
    if (ranking.size() > static_cast<std::size_t>(best.count)) ranking.resize(best.count);
    const std::vector<std::string> take = taken_parameters(study_, stage);
    std::vector<Json> selected;
    for (const Ranked& ranked : ranking) {
      Json taken = Json::object();
      for (const std::string& key : take) {
        const Json& parameters = out_.cells[ranked.cell].parameters;
        if (const auto found = parameters.find(key); found != parameters.end()) taken[key] = *found;
      }
      selected.push_back(std::move(taken));
    }
    return selected;
  }

  static std::string no_ranking(const Selection& best, const std::vector<std::string>& reported) {
    if (reported.empty())
      return "no trial of stage " + best.of + " finished, so none of its cells is the best";
    return "no cell of stage " + best.of + " has a number as metric " + best.by +
           "; its trials report " + joined(reported);
  }

  // A parameter varies if two cells differ in it, one of them lacking it included.
  void find_varying() {
    std::vector<std::string> candidates;
    const auto consider = [&](const std::string& key) {
      if (std::ranges::find(candidates, key) == candidates.end()) candidates.push_back(key);
    };
    for (const Stage& stage : study_.stages) {
      for (const std::string& key : swept_parameters(study_, stage)) consider(key);
      for (const auto& [key, value] : stage.parameters.items()) consider(key);
    }
    for (const std::string& key : candidates) {
      const auto differs = [&](const Cell& cell) {
        const Json& first = out_.cells.front().parameters;
        const auto a = first.find(key);
        const auto b = cell.parameters.find(key);
        const bool has_a = a != first.end(), has_b = b != cell.parameters.end();
        return has_a != has_b || (has_a && *a != *b);
      };
      if (std::ranges::any_of(out_.cells, differs)) out_.varying.push_back(key);
    }
  }

  const Study& study_;
  const CellMetrics& metrics_;
  const std::vector<std::string>& complete_;
  const StageFailures& failures_;
  const TaskSpec* task_ = nullptr;
  CellHasher hasher_;
  std::optional<GridRules> rules_;  // of the stage that is expanded
  std::size_t first_rule_ = 0;      // its first one in out_.rules
  Expansion out_;
  std::unordered_map<std::string, std::size_t> index_;                 // hash -> cell
  std::unordered_map<std::string, std::vector<std::size_t>> members_;  // stage -> cells
  std::string faults_;
  int fault_count_ = 0;
};

}  // namespace

Expansion expand(const Study& study, const CellMetrics& metrics,
                 const std::vector<std::string>& complete, const StageFailures& failures) {
  return Expander(study, metrics, complete, failures).run();
}

StageProgress stage_progress(
    const Study& study, const Expansion& expansion,
    const std::function<TrialEnd(const Cell&, std::int64_t seed)>& end_of) {
  StageProgress progress;
  std::set<std::string> open;
  for (const Cell& cell : expansion.cells)
    for (const std::int64_t seed : study.seeds) {
      const TrialEnd end = end_of(cell, seed);
      if (!end.over) open.insert(cell.stages.begin(), cell.stages.end());
      if (end.failed)
        for (const std::string& stage : cell.stages) ++progress.failures[stage][*end.failed];
    }
  for (const auto& [stage, state] : expansion.stages)
    if (state.kind == StageState::Kind::expanded && !open.contains(stage))
      progress.complete.push_back(stage);
  return progress;
}

}  // namespace windrow::sweeps
