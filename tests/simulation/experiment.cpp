#include "tests/simulation/experiment.h"

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

// Of the shipped tasks, sets of items: its parameters are as good as others for telling trials
// apart.
std::string study_text(const ExperimentWishes& wishes, int cells, int seeds, int epochs,
                       int shards) {
  const std::string number = std::to_string(wishes.number);
  std::string text = "study: simulated-" + number + "\n";
  if (wishes.gangs)
    text += "task: choice-sets\nparameters: {epochs: " + std::to_string(epochs) +
            ", depth: 2, shards: " + std::to_string(shards) + ", data_seed: " + number +
            "}\ngrid:\n  width: [";
  else
    text += std::string("trainer: {command: [train]") +
            (wishes.persistent ? ", persistent: true" : "") +
            (wishes.keeps_checkpoints ? ", budget: epochs" : "") +
            "}\nparameters: {epochs: " + std::to_string(epochs) + ", number: " + number +
            "}\ngrid:\n  x: [";
  const int first = wishes.gangs ? 1 : 0;
  for (int x = first; x < first + cells; ++x) text += (x > first ? ", " : "") + std::to_string(x);
  text += "]\nseeds: [";
  for (int seed = 0; seed < seeds; ++seed) text += (seed > 0 ? ", " : "") + std::to_string(seed);
  text += "]\n";
  if (wishes.early_stopping) text += "early_stopping: {metric: loss, patience: 2}\n";
  return text;
}

}  // namespace

Experiment::Experiment(const ExperimentWishes& wishes, Random& random) {
  // Gangs form where slots are left over and epochs are to come.
  const int cells = random.between(2, wishes.gangs ? 3 : 6);
  const int seeds = random.between(1, wishes.gangs ? 2 : 3);
  const int epochs = random.between(1, wishes.gangs ? 20 : 8);
  const double pace = random.between(0.02, 2.0);
  study_ = sweeps::parse_study(
      study_text(wishes, cells, seeds, epochs, wishes.gangs ? random.between(1, 4) : 1),
      "simulated-" + std::to_string(wishes.number) + ".yaml");
  study_.trainer.hang_seconds = kHangSeconds;  // of a shipped task, the run's own
  study_.trainer.ready_seconds = kReadySeconds;
  std::vector<FailureKind> kinds = {FailureKind::crash};
  if (wishes.persistent) kinds = {FailureKind::crash, FailureKind::nan, FailureKind::oom};
  const int first = wishes.gangs ? 1 : 0;
  for (int x = first; x < first + cells; ++x)
    for (int seed = 0; seed < seeds; ++seed) {
      TrialTruth& trial = trials_[{x, seed}];
      trial.key = random.next();
      trial.epochs = epochs;
      trial.epoch_seconds = pace * random.between(0.5, 1.5);
      // Not more than a few: where most trials fail alike, it is the program, and the run stops.
      if (wishes.failing_trials && x > first && random.chance(0.15)) {
        trial.fails = random.of(kinds);
        trial.fails_in = random.between(1, epochs);
      } else if (wishes.troubles && random.chance(0.4)) {
        trial.troubles.push_back(
            {static_cast<Trouble::Kind>(random.below(5)), random.between(1, epochs)});
      }
    }
}

std::string Experiment::number_of(const nlohmann::json& parameters) {
  return std::to_string(parameters.value("number", parameters.value("data_seed", 0)));
}

TrialTruth& Experiment::trial(const nlohmann::json& parameters, std::int64_t seed) {
  return trials_.at({parameters.at(x_parameter()).get<int>(), seed});
}

Experiment::Expected Experiment::expected(const TrialTruth& trial) const {
  Expected expected{.epochs = trial.epochs, .result_epoch = trial.epochs};
  std::optional<protocol::EarlyStoppingMonitor> monitor;
  if (study_.early_stopping) monitor.emplace(*study_.early_stopping);
  for (int epoch = 1; epoch <= trial.epochs; ++epoch) {
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
