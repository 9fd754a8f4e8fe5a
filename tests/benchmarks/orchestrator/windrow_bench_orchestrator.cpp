// What of the orchestrator can be measured within a process. Prints an object a line:
// {"benchmark": ..., "value": ..., "unit": ...}
//
//   windrow-bench-orchestrator [--folder DIR] rows | row-latency | expansion | scheduler
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "orchestrator/scheduler/simulator.h"
#include "storage/store.h"
#include "sweeps/study.h"

namespace {

using namespace windrow;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void print(const char* name, double value, const char* unit) {
  std::printf("{\"benchmark\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", name, value, unit);
}

std::filesystem::path fresh_database(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "bench.db";
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    std::filesystem::remove(file.string() + suffix);
  return file;
}

std::vector<storage::StoredTrial> begin_trials(storage::Store& store, int trials) {
  std::vector<storage::CellRecord> cells;
  for (int i = 0; i < trials; ++i) cells.push_back({std::to_string(i), {{"x", i}}, {"main"}});
  auto stored = store.reconcile({"bench", "study: bench\n", "hash"}, cells, {0});
  for (const auto& trial : stored) {
    storage::AttemptBegan began;
    began.trial = trial.id;
    began.host = "host";
    store.record(std::move(began));
  }
  store.flush();
  return stored;
}

storage::EpochDone epoch_row(TrialId trial, int epoch) {
  return {{trial,
           1,
           epoch,
           {{"loss", 1.0 / epoch}, {"accuracy", 0.5}, {"val_loss", 2.0 / epoch}, {"val_acc", 0.4}},
           0.5,
           "00112233445566778899aabbccddeeff"}};
}

// As fast as they can be taken, the last of them durable.
void rows(const std::filesystem::path& folder) {
  constexpr int kTrials = 100, kEpochs = 2000;
  storage::Store store(fresh_database(folder));
  const auto trials = begin_trials(store, kTrials);
  const auto begin = Clock::now();
  for (int epoch = 1; epoch <= kEpochs; ++epoch)
    for (const auto& trial : trials) store.record(epoch_row(trial.id, epoch));
  store.flush();
  print("rows", kTrials * kEpochs / seconds_since(begin), "rows/s");
}

// The longest time from record() to being durable, at 20,000 rows a second.
void row_latency(const std::filesystem::path& folder) {
  constexpr int kTrials = 100, kRows = 60'000;
  constexpr double kRate = 20'000;
  storage::Store store(fresh_database(folder));
  const auto trials = begin_trials(store, kTrials);
  std::vector<Clock::time_point> recorded;
  std::vector<double> waits;
  const std::uint64_t first = store.committed();
  const auto begin = Clock::now();
  const auto collect = [&] {
    for (const auto done = store.committed() - first; waits.size() < done;)
      waits.push_back(seconds_since(recorded[waits.size()]));
  };
  while (static_cast<int>(recorded.size()) < kRows) {
    const auto due = std::min<double>(kRows, seconds_since(begin) * kRate);
    while (static_cast<double>(recorded.size()) < due) {
      const auto i = static_cast<int>(recorded.size());
      recorded.push_back(Clock::now());
      store.record(epoch_row(trials[static_cast<std::size_t>(i % kTrials)].id, i / kTrials + 1));
    }
    collect();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (static_cast<int>(waits.size()) < kRows) {
    collect();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::sort(waits.begin(), waits.end());
  print("row-latency", waits[waits.size() * 99 / 100] * 1e3, "ms");
}

void expansion() {
  std::string text = "study: bench\ntrainer: {command: [/bin/true]}\ngrid:\n";
  for (const char* axis : {"a", "b", "c", "d", "e"})
    text += std::string("  ") + axis + ": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
  const auto begin = Clock::now();
  const sweeps::Expansion expansion = sweeps::expand(sweeps::parse_study(text, "bench.yaml"));
  print("expansion", seconds_since(begin) / static_cast<double>(expansion.cells.size()) * 1e6,
        "us/cell");
}

void scheduler_events() {
  std::vector<scheduler::TrialSpec> trials;
  for (int i = 0; i < 100'000; ++i)
    trials.push_back({.trial = TrialId{i + 1}, .group = i / 3, .epochs = 1 + i % 20});
  scheduler::SimulationOptions options;
  options.agents = 1000;
  options.slots_per_agent = 10;
  options.epoch_seconds = [](const scheduler::TrialSpec& spec) { return 1.0 + spec.group % 7; };
  const auto begin = Clock::now();
  const auto result = scheduler::simulate(trials, options);
  print("scheduler", seconds_since(begin) / static_cast<double>(result.events) * 1e6, "us/event");
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--folder" && i + 1 < argc)
      folder = argv[++i];
    else if (name == "rows")
      rows(folder);
    else if (name == "row-latency")
      row_latency(folder);
    else if (name == "expansion")
      expansion();
    else if (name == "scheduler")
      scheduler_events();
    else
      return std::fprintf(stderr, "windrow-bench-orchestrator: unknown benchmark %s\n", argv[i]), 2;
  }
  return 0;
}
