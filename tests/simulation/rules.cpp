#include "tests/simulation/rules.h"

#include <algorithm>

#include "orchestrator/coordinator/trial_folder.h"
#include "storage/reader.h"

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
  const auto trials =
      reader
          .query("SELECT trial, " + std::string(experiment_.x_parameter()) +
                 ", seed, state, epochs, failure, " + y_column(reader) + " FROM trials")
          .rows;
  auto& truths = truths_;
  std::map<std::int64_t, std::string> states;
  std::map<std::int64_t, Experiment::Place> places;
  for (const auto& row : trials) {
    const auto id = static_cast<std::int64_t>(number(row[0]));
    places[id] = {static_cast<int>(number(row[1])), std::max(static_cast<int>(number(row[6])), 0),
                  static_cast<std::int64_t>(number(row[2]))};
    truths[id] = &experiment_.trial(places[id]);
    states[id] = text(row[3]) == "failed" ? text(row[5]) : text(row[3]);
  }
  const std::optional<int> best = selected(places, states);
  std::set<std::int64_t> left_out;  // of the study as it is now
  for (const auto& [id, place] : places)
    if (!experiment_.has(place) || (place.y > 0 && place.x != best)) left_out.insert(id);
  demand(!over || trials.size() - left_out.size() ==
                      experiment_.size() + (best ? experiment_.size_of_second() : 0),
         "the database has " + std::to_string(trials.size()) + " trials, " +
             std::to_string(left_out.size()) + " of them not of the study");

  std::map<std::int64_t, int> epochs;
  const bool any = !reader.query("SELECT 1 FROM epochs LIMIT 1").rows.empty();
  const auto rows =
      any ? reader.query("SELECT trial, epoch, loss, weights FROM epochs ORDER BY trial, epoch")
                .rows
          : decltype(reader.query("").rows){};
  for (const auto& row : rows) {
    const auto id = static_cast<std::int64_t>(number(row[0]));
    const auto epoch = static_cast<int>(number(row[1]));
    const std::string where = "trial " + std::to_string(id) + " epoch " + std::to_string(epoch);
    demand(epoch == ++epochs[id], where + " follows epoch " + std::to_string(epochs[id] - 1));
    const TrialTruth& truth = *truths.at(id);
    demand(number(row[2]) == truth.loss(epoch), where + " has another loss");
    demand(number(row[3]) == TrialTruth::reported(truth.state(epoch)),
           where + " was trained from another state");
  }

  for (const auto& row : trials) {
    const auto id = static_cast<std::int64_t>(number(row[0]));
    const std::string where = "trial " + std::to_string(id);
    const TrialTruth& truth = *truths.at(id);
    Experiment::Expected expected = experiment_.expected(truth, truth.epochs);
    const std::string& state = states.at(id);
    // What the study has no longer, and what a session that could not begin found, is as it was.
    for (const int earlier : truth.earlier_epochs)
      if ((!over || left_out.contains(id)) && epochs[id] < expected.epochs)
        if (const auto before = experiment_.expected(truth, earlier); before.epochs == epochs[id])
          expected = before;
    const bool is_failed = state != "finished" && state != "pending" && state != "running";
    demand(!over || state == "finished" || is_failed || left_out.contains(id),
           where + " is " + state + " at the end");
    if (state == "finished") {
      demand(!expected.failure, where + " should have failed");
      demand(epochs[id] == expected.epochs, where + " has " + std::to_string(epochs[id]) +
                                                " epochs, not " + std::to_string(expected.epochs));
      const auto result =
          reader
              .query("SELECT value FROM trial_metrics WHERE metric = 'loss' AND trial = " +
                     std::to_string(id))
              .rows;
      const double loss = truth.loss(expected.result_epoch);
      demand(result.size() == 1 && number(result[0][0]) == loss,
             where + " has as its result " + std::to_string(number(result.at(0)[0])) + ", not " +
                 std::to_string(loss) + " of epoch " + std::to_string(expected.result_epoch));
    } else if (left_out.contains(id) && places[id].y == 0) {
      demand(epochs[id] == epochs_[id], where + " was trained, and is not of the study");
    } else {
      demand(epochs[id] >= epochs_[id], where + " had " + std::to_string(epochs_[id]) +
                                            " epochs and has " + std::to_string(epochs[id]));
    }
    if (is_failed)
      // A broken machine may have had the last word on one that fails anyway.
      demand((expected.failure && (state == to_string(*expected.failure) || state == "crash")) ||
                 (state == "cancelled" && truth.may_be_cancelled),
             where + " is failed (" + state + "), which is no fault of its own");
  }
  epochs_ = epochs;

  const std::string id = text(reader.query("SELECT database_id FROM identity").rows.at(0)[0]);
  const std::string root = checkpoint_root(checkpoints_, id).string() + "/";
  for (const std::string& folder : folder_.removed()) {
    if (!folder.starts_with(root) || removed_before_.contains(folder)) continue;
    const auto trial = trial_of_folder(folder.substr(root.size()));
    demand(trial && states.at(trial->trial.value) == "finished",
           folder + " was removed before the trial's result was durable");
  }
  if (over)
    demand(reader.query("SELECT 1 FROM attempts WHERE outcome = 'running'").rows.empty(),
           "an attempt has no outcome");
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
