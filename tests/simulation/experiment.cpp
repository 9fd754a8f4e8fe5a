#include "tests/simulation/experiment.h"

#include <algorithm>
#include <utility>

#include "protocol/early_stopping.h"

namespace windrow::simulation {

using protocol::FailureKind;

std::string to_string(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::crash:
      return "a trainer crashes";
    case Trouble::Kind::hang:
      return "a trainer hangs";
    case Trouble::Kind::garbage:
      return "a trainer talks nonsense";
    case Trouble::Kind::children:
      return "a trainer leaves children";
    case Trouble::Kind::damage:
      return "a checkpoint is lost";
  }
  return "";
}

double TrialTruth::loss(int epoch) const {
  const auto noise = mixed(key + static_cast<std::uint64_t>(epoch) * 977) >> 44;
  return 1.0 / epoch + static_cast<double>(noise) * 0x1p-21;
}

std::uint64_t TrialTruth::state(int epoch) const {
  std::uint64_t state = key;
  for (int done = 1; done <= epoch; ++done) state = next_state(state, done);
  return state;
}

std::uint64_t TrialTruth::next_state(std::uint64_t state, int epoch) {
  return mixed(state + static_cast<unsigned>(epoch));
}

namespace {

constexpr double kHangSeconds = 8, kReadySeconds = 10;

std::string listed(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

}  // namespace

// Of the shipped tasks, sets of items: its parameters are as good as others for telling trials
// apart.
void Experiment::write_study() {
  const std::string number = std::to_string(wishes_.number);
  std::string text = "study: simulated-" + number + "\n";
  if (wishes_.gangs)
    text += "task: choice-sets\nparameters: {epochs: " + std::to_string(epochs_) +
            ", depth: 2, shards: " + std::to_string(shards_) + ", data_seed: " + number + "}\n";
  else
    text += std::string("trainer: {command: [train]") +
            (wishes_.persistent ? ", persistent: true" : "") +
            (wishes_.keeps_checkpoints ? ", budget: epochs" : "") +
            "}\nparameters: {epochs: " + std::to_string(epochs_) + ", number: " + number + "}\n";
  const std::string grid =
      std::string("grid: {") + (wishes_.gangs ? "width" : "x") + ": " + listed(xs_) + "}\n";
  if (wishes_.stages)
    text += "stages:\n  first:\n    " + grid +
            "  second:\n    best: {of: first, by: loss, take: [x]}\n    grid: {y: [1, 2]}\n";
  else
    text += grid;
  text += "seeds: " + listed(seeds_) + "\n";
  if (wishes_.early_stopping) text += "early_stopping: {metric: loss, patience: 2}\n";
  study_ = sweeps::parse_study(text, "simulated-" + number + ".yaml");
  study_.trainer.hang_seconds = kHangSeconds;  // of a shipped task, the run's own
  study_.trainer.ready_seconds = kReadySeconds;
}

void Experiment::plan_trial(const Place& place, Random& random) {
  const auto [found, is_new] = trials_.try_emplace(place);
  TrialTruth& trial = found->second;
  if (!is_new && trial.epochs != epochs_)
    trial.earlier_epochs.push_back(std::exchange(trial.epochs, epochs_));
  if (!is_new) return;
  trial.key = random.next();
  trial.epochs = epochs_;
  trial.epoch_seconds = pace_ * random.between(0.5, 1.5);
  std::vector<FailureKind> kinds = {FailureKind::crash};
  if (wishes_.persistent) kinds = {FailureKind::crash, FailureKind::nan, FailureKind::oom};
  // Not more than a few: where most trials fail alike, it is the program, and the run stops.
  if (wishes_.failing_trials && place.x > first_x() && random.chance(0.15)) {
    trial.fails = random.of(kinds);
    trial.fails_in = random.between(1, epochs_);
  } else if (wishes_.troubles && random.chance(0.4)) {
    trial.troubles.push_back(
        {static_cast<Trouble::Kind>(random.below(5)), random.between(1, epochs_)});
  }
}

void Experiment::plan_trials(Random& random) {
  for (const int x : xs_)
    for (const int seed : seeds_)
      for (int y = 0; y <= (wishes_.stages ? 2 : 0); ++y) plan_trial({x, y, seed}, random);
}

Experiment::Experiment(const ExperimentWishes& wishes, Random& random) : wishes_(wishes) {
  // Gangs form where slots are left over and epochs are to come.
  const int cells = random.between(2, wishes.gangs ? 3 : 6);
  const int seeds = random.between(1, wishes.gangs ? 2 : 3);
  epochs_ = random.between(1, wishes.gangs ? 20 : 8);
  pace_ = random.between(0.02, 2.0);
  shards_ = wishes.gangs ? random.between(1, 4) : 1;
  for (int x = first_x(); x < first_x() + cells; ++x) xs_.push_back(x);
  for (int seed = 0; seed < seeds; ++seed) seeds_.push_back(seed);
  write_study();
  plan_trials(random);
}

std::string Experiment::edit(Random& random) {
  const bool has_budget = wishes_.gangs || wishes_.keeps_checkpoints;
  if (has_budget && random.chance(0.4)) {
    epochs_ += random.between(1, 4);
    write_study();
    plan_trials(random);
    return "with " + std::to_string(epochs_) + " epochs";
  }
  const bool of_seeds = random.chance(0.3);
  std::vector<int>& values = of_seeds ? seeds_ : xs_;
  const bool grows = values.size() == 1 || random.chance(0.6);
  std::string what = of_seeds ? "seed " : "x ";
  if (grows) {  // perhaps one that it had
    int value = of_seeds ? 0 : first_x();
    while (std::ranges::find(values, value) != values.end()) ++value;
    values.insert(values.begin() + random.between(0, static_cast<int>(values.size())), value);
    what = "with " + what + std::to_string(value);
  } else {
    const int at = random.between(of_seeds ? 0 : 1, static_cast<int>(values.size()) - 1);
    what = "without " + what + std::to_string(values[static_cast<std::size_t>(at)]);
    values.erase(values.begin() + at);
  }
  write_study();
  plan_trials(random);
  return what;
}

bool Experiment::has(const Place& place) const {
  return std::ranges::find(xs_, place.x) != xs_.end() &&
         std::ranges::find(seeds_, place.seed) != seeds_.end();
}

std::string Experiment::number_of(const nlohmann::json& parameters) {
  return std::to_string(parameters.value("number", parameters.value("data_seed", 0)));
}

TrialTruth& Experiment::trial(const nlohmann::json& parameters, std::int64_t seed) {
  return trials_.at({parameters.at(x_parameter()).get<int>(), parameters.value("y", 0), seed});
}

Experiment::Expected Experiment::expected(const TrialTruth& trial, int epochs) const {
  Expected expected{.epochs = epochs, .result_epoch = epochs};
  std::optional<protocol::EarlyStoppingMonitor> monitor;
  if (study_.early_stopping) monitor.emplace(*study_.early_stopping);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    if (trial.fails && trial.fails_in == epoch)
      return {.failure = trial.fails, .epochs = epoch - 1};
    if (!monitor) continue;
    monitor->observe(epoch, trial.loss(epoch));
    if (!monitor->should_stop()) continue;
    expected.epochs = epoch;
    break;
  }
  if (monitor) expected.result_epoch = monitor->best_epoch();
  return expected;
}

}  // namespace windrow::simulation
