#include "tests/simulation/rules.h"

#include <algorithm>

#include "orchestrator/coordinator/trial_folder.h"

namespace windrow::simulation {
namespace {

using storage::Value;

double number(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return -1;
}

std::string text(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : "";
}

void demand(bool holds, const std::string& rule) {
  if (!holds) throw BrokenRule(rule);
}

int count_of(const std::map<std::int64_t, int>& counts, std::int64_t id) {
  const auto found = counts.find(id);
  return found == counts.end() ? 0 : found->second;
}

// Parameters come into the view with the first cell that has them.
std::string y_column(storage::Reader& reader) {
  for (const auto& row : reader.query("PRAGMA table_info(trials)").rows)
    if (text(row.at(1)) == "y") return "y";
  return "NULL";
}

}  // namespace

// The x that the second stage takes, as the results of the first one have it: the least mean of the
// loss over the seeds that finished; nullopt where trials of it are not over, or failed for what
// may be the machine's reasons.
std::optional<int> Rules::selected(const std::map<std::int64_t, Experiment::Place>& places,
                                   const std::map<std::int64_t, std::string>& states) const {
  std::size_t over = 0;
  std::map<int, std::pair<double, int>> losses;  // by x: their sum and number
  for (const auto& [id, place] : places) {
    if (place.y > 0 || !experiment_.has(place)) continue;
    const std::string& state = states.at(id);
    if (state == "pending" || state == "running" || state == "crash") return std::nullopt;
    ++over;
    if (state != "finished") continue;
    const TrialTruth& truth = *truths_.at(id);
    losses[place.x].first += truth.loss(experiment_.expected(truth, truth.epochs).result_epoch);
    ++losses[place.x].second;
  }
  if (!experiment_.has_stages() || over < experiment_.size() || losses.empty()) return std::nullopt;
  const auto mean = [](const auto& one) { return one.second.first / one.second.second; };
  return std::ranges::min_element(losses, {}, mean)->first;
}

void Rules::check(bool over) {
  if (!std::filesystem::exists(database_)) return;
  storage::Reader reader(database_);
  const auto sound = reader.query("PRAGMA integrity_check").rows;
  demand(sound.size() == 1 && text(sound[0][0]) == "ok", "the database is damaged");
  if (reader.studies().empty()) return demand(!over, "the database has no study");
  const Recorded recorded = read(reader);
  if (over) check_set_of_trials(recorded);
  check_epochs(reader);
  for (const auto& [id, state] : recorded.states) check_outcome(reader, recorded, id, over);
  epochs_ = recorded.epochs;
  check_folders(reader, recorded);
  if (over)
    demand(reader.query("SELECT 1 FROM attempts WHERE outcome = 'running'").rows.empty(),
           "an attempt has no outcome");
}

Rules::Recorded Rules::read(storage::Reader& reader) {
  Recorded recorded;
  const auto trials = reader.query("SELECT trial, " + std::string(experiment_.x_parameter()) +
                                   ", seed, state, failure, " + y_column(reader) + " FROM trials");
  for (const auto& row : trials.rows) {
    const auto id = static_cast<std::int64_t>(number(row[0]));
    const Experiment::Place place{static_cast<int>(number(row[1])),
                                  std::max(static_cast<int>(number(row[5])), 0),
                                  static_cast<std::int64_t>(number(row[2]))};
    recorded.places[id] = place;
    recorded.states[id] = text(row[3]) == "failed" ? text(row[4]) : text(row[3]);
    truths_[id] = &experiment_.trial(place);
  }
  recorded.best = selected(recorded.places, recorded.states);
  for (const auto& [id, place] : recorded.places)
    if (!experiment_.has(place) || (place.y > 0 && place.x != recorded.best))
      recorded.left_out.insert(id);
  for (const auto& row : reader.query("SELECT trial, count(*) FROM epochs GROUP BY trial").rows)
    recorded.epochs[static_cast<std::int64_t>(number(row[0]))] = static_cast<int>(number(row[1]));
  return recorded;
}

void Rules::check_set_of_trials(const Recorded& recorded) const {
  const std::size_t wanted =
      experiment_.size() + (recorded.best ? experiment_.size_of_second() : 0);
  demand(recorded.places.size() - recorded.left_out.size() == wanted,
         "the database has " + std::to_string(recorded.places.size()) + " trials, " +
             std::to_string(recorded.left_out.size()) + " of them not of the study");
}

void Rules::check_epochs(storage::Reader& reader) const {
  if (reader.query("SELECT 1 FROM epochs LIMIT 1").rows.empty())
    return;  // nor has it their metrics
  std::map<std::int64_t, int> last;
  for (const auto& row :
       reader.query("SELECT trial, epoch, loss, weights FROM epochs ORDER BY trial, epoch").rows) {
    const auto id = static_cast<std::int64_t>(number(row[0]));
    const auto epoch = static_cast<int>(number(row[1]));
    const std::string where = "trial " + std::to_string(id) + " epoch " + std::to_string(epoch);
    demand(epoch == ++last[id], where + " follows epoch " + std::to_string(last[id] - 1));
    const TrialTruth& truth = *truths_.at(id);
    demand(number(row[2]) == truth.loss(epoch), where + " has another loss");
    demand(number(row[3]) == TrialTruth::reported(truth.state(epoch)),
           where + " was trained from another state");
  }
}

// What the study has no longer, and what a session that could not begin found, is as it was.
Experiment::Expected Rules::expected(const TrialTruth& truth, int epochs,
                                     bool may_be_earlier) const {
  Experiment::Expected now = experiment_.expected(truth, truth.epochs);
  for (const int earlier : truth.earlier_epochs)
    if (may_be_earlier && epochs < now.epochs)
      if (const auto before = experiment_.expected(truth, earlier); before.epochs == epochs)
        now = before;
  return now;
}

void Rules::check_outcome(storage::Reader& reader, const Recorded& recorded, std::int64_t id,
                          bool over) const {
  const std::string where = "trial " + std::to_string(id);
  const TrialTruth& truth = *truths_.at(id);
  const std::string& state = recorded.states.at(id);
  const bool left_out = recorded.left_out.contains(id);
  const int epochs = count_of(recorded.epochs, id), before = count_of(epochs_, id);
  const Experiment::Expected due = expected(truth, epochs, !over || left_out);
  const bool is_failed = state != "finished" && state != "pending" && state != "running";
  demand(!over || state == "finished" || is_failed || left_out,
         where + " is " + state + " at the end");
  if (state == "finished") {
    demand(!due.failure, where + " should have failed");
    demand(epochs == due.epochs,
           where + " has " + std::to_string(epochs) + " epochs, not " + std::to_string(due.epochs));
    const auto result =
        reader
            .query("SELECT value FROM trial_metrics WHERE metric = 'loss' AND trial = " +
                   std::to_string(id))
            .rows;
    const double loss = truth.loss(due.result_epoch);
    demand(result.size() == 1 && number(result[0][0]) == loss,
           where + " has another result than " + std::to_string(loss) + " of epoch " +
               std::to_string(due.result_epoch));
  } else if (left_out && recorded.places.at(id).y == 0) {
    demand(epochs == before, where + " was trained, and is not of the study");
  } else {
    demand(epochs >= before,
           where + " had " + std::to_string(before) + " epochs and has " + std::to_string(epochs));
  }
  if (is_failed)
    // A broken machine may have had the last word on one that fails anyway.
    demand((due.failure && (state == to_string(*due.failure) || state == "crash")) ||
               (state == "cancelled" && truth.may_be_cancelled),
           where + " is failed (" + state + "), which is no fault of its own");
}

void Rules::check_folders(storage::Reader& reader, const Recorded& recorded) const {
  const std::string id = text(reader.query("SELECT database_id FROM identity").rows.at(0)[0]);
  const std::string root = checkpoint_root(checkpoints_, id).string() + "/";
  for (const std::string& folder : folder_.removed()) {
    if (!folder.starts_with(root) || removed_before_.contains(folder)) continue;
    const auto trial = trial_of_folder(folder.substr(root.size()));
    demand(trial && recorded.states.at(trial->trial.value) == "finished",
           folder + " was removed before the trial's result was durable");
  }
}

void Rules::taken_back(std::int64_t trial) {
  epochs_.erase(trial);
  removed_before_ = folder_.removed();
}

std::pair<std::int64_t, TrialTruth*> Rules::some_trial(Random& random) {
  if (truths_.empty()) return {0, nullptr};
  auto chosen = truths_.begin();
  std::advance(chosen, random.below(static_cast<int>(truths_.size())));
  return *chosen;
}

int Rules::epochs() const {
  int all = 0;
  for (const auto& [trial, count] : epochs_) all += count;
  return all;
}

}  // namespace windrow::simulation
