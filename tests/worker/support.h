// What the trainer's tests share.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "worker/tasks/task.h"
#include "worker/training_loop.h"

namespace windrow::worker::test {

// Removed with its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "windrow-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed: " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The messages of an attempt, in order.
class Messages {
 public:
  Send sender() {
    return [this](const protocol::FromTrainer& message) {
      const std::lock_guard lock(mutex_);
      all_.push_back(message);
      if (on_message) on_message(all_.back());
    };
  }

  template <class T>
  std::vector<T> of() const {
    std::vector<T> found;
    for (const auto& message : all_)
      if (const auto* match = std::get_if<T>(&message)) found.push_back(*match);
    return found;
  }
  const std::vector<protocol::FromTrainer>& all() const { return all_; }

  // Called with each message, from the thread that sends it.
  std::function<void(const protocol::FromTrainer&)> on_message;

 private:
  std::mutex mutex_;
  std::vector<protocol::FromTrainer> all_;
};

// What an epoch is apart from when and how it was sent.
struct EpochContent {
  protocol::Metrics metrics;
  std::string state_hash;
  friend bool operator==(const EpochContent&, const EpochContent&) = default;
};

inline std::map<int, EpochContent> contents(const std::vector<protocol::Epoch>& epochs) {
  std::map<int, EpochContent> by_epoch;
  for (const auto& e : epochs) by_epoch[e.epoch] = {e.metrics, e.state_hash};
  return by_epoch;
}

// A training with something done to it before or after each epoch, from within it: the loop's
// messages come later, from the thread that writes checkpoints.
class HookedTraining final : public Training {
 public:
  using Hook = std::function<void(Training& training, int epoch)>;
  HookedTraining(std::unique_ptr<Training> training, Hook before, Hook after)
      : training_(std::move(training)), before_(std::move(before)), after_(std::move(after)) {}

  int epochs() const override { return training_->epochs(); }
  protocol::Json facts() const override { return training_->facts(); }
  int shards() const override { return training_->shards(); }
  protocol::Metrics run_epoch(int epoch, Gang& gang, Progress& progress) override {
    if (before_) before_(*training_, epoch);
    protocol::Metrics metrics = training_->run_epoch(epoch, gang, progress);
    if (after_) after_(*training_, epoch);
    return metrics;
  }
  protocol::Metrics result(const protocol::Metrics& metrics, Progress& progress) override {
    return training_->result(metrics, progress);
  }
  protocol::Json artefacts(bool just_evaluated, Progress& progress) override {
    return training_->artefacts(just_evaluated, progress);
  }
  std::vector<at::Tensor> weights() override { return training_->weights(); }
  std::vector<at::Tensor> optimizer_state() override { return training_->optimizer_state(); }

 private:
  std::unique_ptr<Training> training_;
  Hook before_, after_;
};

// Runs the trial with hooks in its training.
inline void run_hooked(const Attempt& attempt, DataCache& data, Messages& messages,
                       const HookedTraining::Hook& before, const HookedTraining::Hook& after) {
  const std::string name = attempt.start.task;
  const Task task{name, [&](const TrainingContext& context) {
                    return std::make_unique<HookedTraining>(find_task(name).begin(context), before,
                                                            after);
                  }};
  const Send send = messages.sender();
  run_attempt(attempt, send, data, task);
}

// Runs the trial until `request` after an epoch.
inline void run_until(const protocol::Start& start, int epoch, Request request, DataCache& data,
                      Messages& messages) {
  Attempt attempt(start);
  run_hooked(attempt, data, messages, {}, [&](Training&, int trained) {
    if (trained == epoch) attempt.request = request;
  });
}

// A choice-sets trial of some milliseconds.
inline protocol::Start small_choice_sets(int epochs) {
  protocol::Start start;
  start.trial = TrialId{7};
  start.task = "choice-sets";
  start.parameters = {{"depth", 2},       {"width", 6},        {"lr", 0.003},     {"batch", 50},
                      {"epochs", epochs}, {"train_sets", 700}, {"test_sets", 300}};
  start.seed = 3;
  start.device = "cpu";
  return start;
}

inline Messages& run(const protocol::Start& start, DataCache& data, Messages& messages) {
  const Attempt attempt(start);
  const Send send = messages.sender();
  run_attempt(attempt, send, data);
  return messages;
}

// CIFAR-10 files of `records` images each. The class shows in the image's brightness, so that a
// model can learn it.
inline void write_small_cifar10(const std::filesystem::path& folder, int records,
                                unsigned char test_noise = 0) {
  std::filesystem::create_directories(folder);
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
    std::ofstream file(folder / name, std::ios::binary);
    const bool test = std::string(name) == "test_batch.bin";
    for (int i = 0; i < records; ++i) {
      const int label = i % 10;
      std::string record(3073, static_cast<char>(label * 25 + (test ? test_noise : 0)));
      record[0] = static_cast<char>(label);
      for (std::size_t p = 1; p < record.size(); p += 7)
        record[p] = static_cast<char>((i * 31 + static_cast<int>(p)) % 256);
      file.write(record.data(), static_cast<std::streamsize>(record.size()));
    }
  }
}

}  // namespace windrow::worker::test
