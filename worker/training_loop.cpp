#include "worker/training_loop.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include "protocol/hash.h"
#include "protocol/lines.h"
#include "sweeps/tasks/task_schema.h"
#include "worker/checkpoint/checkpoint.h"
#include "worker/checkpoint/checkpoint_writer.h"
#include "worker/checkpoint/trial_hash.h"
#include "worker/device/device.h"
#include "worker/gang/helper.h"
#include "worker/gang/lead.h"
#include "worker/state_bytes.h"
#include "worker/tasks/task.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

using protocol::TrainerFailure;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// An early-stopping rule must speak of a metric that each epoch has.
void check_stopping_metric(const protocol::Start& start) {
  if (!start.early_stopping) return;
  std::string known;
  for (const auto& metric : sweeps::find_task(start.task)->metrics) {
    if (metric.name == start.early_stopping->metric) return;
    known += (known.empty() ? "" : ", ") + metric.name;
  }
  throw TrainerError(TrainerFailure::spec, "early stopping watches the metric \"" +
                                               start.early_stopping->metric + "\", but task " +
                                               start.task + " reports each epoch: " + known);
}

void check_finite(const protocol::Metrics& metrics, int epoch) {
  for (const auto& [name, value] : metrics)
    if (!std::isfinite(value))
      throw TrainerError(TrainerFailure::nan,
                         name + " is " + (std::isnan(value) ? "NaN" : "infinite") + " in epoch " +
                             std::to_string(epoch) + "; try a smaller learning rate");
}

std::chrono::milliseconds gang_deadline(const protocol::Start& start) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(start.gang_deadline * 1000));
}

std::vector<at::Tensor> state_of(Training& training) {
  std::vector<at::Tensor> state = training.weights();
  for (at::Tensor& tensor : training.optimizer_state()) state.push_back(std::move(tensor));
  return state;
}

std::string layout_of(Training& training) {
  protocol::Json tensors = protocol::Json::array();
  for (const Weights::Place& place : training.layout())
    tensors.push_back({place.name, place.shape, place.tensor, place.offset});
  const std::size_t weights = training.weights().size();
  return protocol::Json{{"weights", weights},
                        {"state", weights + training.optimizer_state().size()},
                        {"tensors", tensors}}
      .dump();
}

class Loop {
 public:
  Loop(const Attempt& attempt, const Send& send, DataCache& data, const Task& task)
      : attempt_(attempt),
        start_(attempt.start),
        send_(send),
        progress_(attempt, send),
        parameters_(start_.task, start_.parameters),
        device_(open_device(start_.device, start_.threads)) {
    check_stopping_metric(start_);
    reset_peak_memory(device_);
    training_ = task.begin({start_.task, parameters_, start_.seed, device_, start_.data_dir, data});
    gang_.emplace(std::min(start_.widest_gang, training_->shards()), device_,
                  gang_deadline(start_));
    layout_ = layout_of(*training_);
    if (start_.early_stopping) monitor_.emplace(*start_.early_stopping);
    if (!start_.checkpoint_dir.empty()) {
      trial_hash_ = trial_hash(start_, training_->data_hash());
      folder_.emplace(start_.checkpoint_dir);
      writer_.emplace(*folder_, send_);
    }
  }

  void run() {
    try {
      train();
    } catch (const std::exception&) {
      // The epochs before the one that failed are worth their rows.
      if (writer_) writer_->flush_quietly();
      throw;
    }
  }

 private:
  void train() {
    resume();
    while (epoch_ < training_->epochs() && !(monitor_ && monitor_->should_stop())) {
      if (attempt_.request == Request::stop) return leave();
      run_epoch();
    }
    finish();
  }

  bool keeps_best() const { return monitor_ && monitor_->rule().restore_best; }

  bool reports_best_epoch() const {
    for (const auto& metric : sweeps::find_task(start_.task)->result_metrics)
      if (metric.name == "best_epoch") return true;
    return false;
  }

  std::vector<at::Tensor> state() { return state_of(*training_); }

  std::string precision() const { return parameters_.string("precision"); }
  std::string computed_by() const { return describe(device_) + " in " + precision(); }

  // Takes an epoch into the history, be it trained now or read from a checkpoint.
  void record(const protocol::Epoch& epoch) {
    epoch_ = epoch.epoch;
    last_metrics_ = epoch.metrics;
    history_ += protocol::to_line(protocol::FromTrainer(epoch));
    if (monitor_ && monitor_->observe(epoch.epoch, epoch.metrics.at(monitor_->rule().metric)))
      best_metrics_ = epoch.metrics;
  }

  void run_epoch() {
    const auto begin = Clock::now();
    protocol::Epoch epoch;
    epoch.trial = start_.trial;
    epoch.attempt = start_.attempt;
    epoch.epoch = epoch_ + 1;
    const protocol::SetGang gang = attempt_.gang();
    gang_->settle(gang.helpers, attempt_.released(), epoch.epoch, state());
    epoch.members = gang_->gang().size();
    if (training_->takes_threads()) {
      set_threads(start_.threads + gang.lent_threads);
      epoch.members += gang.lent_slots;
    }
    epoch.metrics = training_->run_epoch(epoch.epoch, gang_->gang(), progress_);
    just_evaluated_ = true;
    check_finite(epoch.metrics, epoch.epoch);
    std::vector<std::string> blobs = bytes_of(state());
    epoch.state_hash = state_hash(blobs);
    gang_->gang().agree("their state", epoch.state_hash);
    epoch.wall_seconds = seconds_since(begin);
    record(epoch);
    if (keeps_best() && monitor_->best_epoch() == epoch_)
      best_weights_ = bytes_of(training_->weights());
    if (writer_) {
      blobs.insert(blobs.end(), best_weights_.begin(), best_weights_.end());
      writer_->submit({epoch_, trial_hash_, std::move(blobs), history_, computed_by(), layout_},
                      std::move(epoch));
    } else {
      send_(epoch);
    }
  }

  // Goes on from the newest usable checkpoint, and sends again what the database doesn't have.
  void resume() {
    std::vector<protocol::Epoch> again;
    if (folder_) {
      for (const int epoch : folder_->epochs()) {
        if (epoch > training_->epochs()) continue;  // of a budget that has been lowered since
        try {
          again = restore(epoch);
          break;
        } catch (const CheckpointError& error) {
          send_(protocol::Log{"warning", std::string(error.what()) + "; going on without it"});
        }
      }
    }
    if (folder_ && epoch_ < start_.committed_epochs)
      send_(protocol::Log{
          "warning",
          "there is no checkpoint of the " + std::to_string(start_.committed_epochs) +
              " epochs on record in " + start_.checkpoint_dir +
              (epoch_ > 0 ? " but of epoch " + std::to_string(epoch_) + ": those after it"
                          : ": they") +
              " are trained again"});
    protocol::Json facts = training_->facts();
    send_(protocol::Started{.trial = start_.trial,
                            .attempt = start_.attempt,
                            .resumed_from_epoch = epoch_,
                            .info = std::move(facts),
                            .gang_port = gang_->port(),
                            .takes_threads = training_->takes_threads(),
                            .device_kind = describe(device_),
                            .precision = precision()});
    // A record that is ahead of the checkpoint may be of another attempt's epochs.
    const int known = epoch_ < start_.committed_epochs ? 0 : start_.committed_epochs;
    for (const protocol::Epoch& epoch : again)
      if (epoch.epoch > known) send_(epoch);
  }

  bool is_of_this_trial(const Checkpoint& checkpoint) const {
    if (checkpoint.trial_hash == trial_hash_) return true;
    const auto earlier = earlier_trial_hashes(start_, training_->data_hash());
    return std::ranges::find(earlier, checkpoint.trial_hash) != earlier.end();
  }

  std::vector<protocol::Epoch> restore(int epoch) {
    std::string hash;
    const Checkpoint checkpoint = folder_->read(epoch, &hash);
    const auto fail = [&](const std::string& what) {
      throw CheckpointError("checkpoint " + checkpoint_name(epoch) + " in " +
                            start_.checkpoint_dir + " can't be used: " + what);
    };
    if (!is_of_this_trial(checkpoint)) {
      // Its first epochs, on other data, are in the database: the trial can't be both.
      if (!training_->data_hash().empty())
        throw TrainerError(TrainerFailure::data,
                           "the data files have changed since epoch " + std::to_string(epoch) +
                               " was trained; bring them back, or give the changed ones other "
                               "names, which makes them cells of their own");
      fail("it is of a trial with other parameters");
    }
    std::vector<protocol::Epoch> epochs = parse_history(checkpoint.history);
    if (static_cast<int>(epochs.size()) != epoch) fail("its history is not complete");
    const std::size_t weights = training_->weights().size();
    const std::size_t tensors = weights + training_->optimizer_state().size();
    const std::size_t best = keeps_best() ? weights : 0;
    if (checkpoint.blobs.size() != tensors + best) fail("it has another number of tensors");
    if (!load_bytes(checkpoint.blobs, 0, state())) fail("its tensors have other sizes");
    best_weights_.assign(checkpoint.blobs.begin() + static_cast<std::ptrdiff_t>(tensors),
                         checkpoint.blobs.end());
    if (!checkpoint.computed_by.empty() && checkpoint.computed_by != computed_by())
      send_(protocol::Log{"warning", "epochs 1 to " + std::to_string(epoch) + " were trained on " +
                                         checkpoint.computed_by + ", and the trial goes on on " +
                                         computed_by() +
                                         ": its bits are not those of an undisturbed run"});
    for (const protocol::Epoch& e : epochs) record(e);
    for (protocol::Epoch& e : epochs) {
      e.trial = start_.trial;
      e.attempt = start_.attempt;
      e.checkpoint = checkpoint_name(epoch);
      e.checkpoint_hash = hash;
    }
    return epochs;
  }

  static std::vector<protocol::Epoch> parse_history(const std::string& lines) {
    std::vector<protocol::Epoch> epochs;
    for (std::size_t begin = 0, end; (end = lines.find('\n', begin)) != lines.npos;
         begin = end + 1) {
      const auto message =
          protocol::parse_from_trainer(std::string_view(lines).substr(begin, end - begin));
      if (message) epochs.push_back(std::get<protocol::Epoch>(*message));
    }
    return epochs;
  }

  void leave() {
    gang_->dismiss();
    if (writer_) writer_->flush();
    send_(protocol::Stopped{start_.trial, start_.attempt});
  }

  void finish() {
    gang_->dismiss();
    protocol::Metrics metrics = last_metrics_;
    if (keeps_best() && monitor_->best_epoch() > 0) {
      load_bytes(best_weights_, 0, training_->weights());
      metrics = best_metrics_;
      just_evaluated_ = just_evaluated_ && monitor_->best_epoch() == epoch_;
    }
    protocol::Finished finished;
    finished.trial = start_.trial;
    finished.attempt = start_.attempt;
    finished.epochs = epoch_;
    finished.result = training_->result(metrics, progress_);
    if (monitor_ || reports_best_epoch())
      finished.result["best_epoch"] = keeps_best() ? monitor_->best_epoch() : epoch_;
    check_finite(finished.result, epoch_);
    finished.artefacts = training_->artefacts(just_evaluated_, progress_);
    if (writer_) {
      writer_->flush();
      folder_->keep_newest();
    }
    finished.wall_seconds = seconds_since(began_);
    finished.peak_device_memory = peak_memory(device_);
    send_(finished);
  }

  const Clock::time_point began_ = Clock::now();
  const Attempt& attempt_;
  const protocol::Start& start_;
  const Send& send_;
  Progress progress_;
  Parameters parameters_;
  at::Device device_;
  std::unique_ptr<Training> training_;
  std::optional<GangLead> gang_;
  std::optional<protocol::EarlyStoppingMonitor> monitor_;
  int epoch_ = 0;                // trained so far
  bool just_evaluated_ = false;  // the weights are those that run_epoch() left
  protocol::Metrics last_metrics_, best_metrics_;
  std::string trial_hash_;                 // what checkpoints belong to
  std::vector<std::string> best_weights_;  // as bytes; empty unless keeps_best()
  std::string layout_;                     // see checkpoint/exported_weights.h
  std::string history_;                    // epoch messages so far, as lines
  std::optional<CheckpointFolder> folder_;
  std::optional<CheckpointWriter> writer_;  // last: its thread uses what precedes
};

// Trains with the lead until that lets it go. Reports neither epochs nor a result.
void help(const Attempt& attempt, const Send& send, DataCache& data, const Task& task) {
  const protocol::Start& start = attempt.start;
  Progress progress(attempt, send);
  const Parameters parameters(start.task, start.parameters);
  const at::Device device = open_device(start.device, start.threads);
  GangHelper helper(*start.helping, device, gang_deadline(start));
  const auto training =
      task.begin({start.task, parameters, start.seed, device, start.data_dir, data});
  send(protocol::Started{.trial = start.trial,
                         .attempt = start.attempt,
                         .resumed_from_epoch = start.committed_epochs,
                         .info = training->facts()});
  helper.say_here();
  bool leaving = false;
  const auto meanwhile = [&] {
    progress.step();
    if (attempt.request == Request::stop && !std::exchange(leaving, true)) helper.say_leaving();
  };
  while (true) {
    const Instruction instruction = helper.next(meanwhile);
    if (instruction.end) break;
    helper.join(instruction, state_of(*training));
    training->run_epoch(instruction.epoch, helper.gang(), progress);
    helper.gang().agree("their state", state_hash(bytes_of(state_of(*training))));
  }
  send(protocol::Stopped{start.trial, start.attempt});
}

}  // namespace

void run_attempt(const Attempt& attempt, const Send& send, DataCache& data, const Task& task) {
  // At the attempt's end, when its tensors are gone.
  struct GiveBack {
    ~GiveBack() {
      try {
        give_back_memory(device);
      } catch (const std::exception&) {
        // A device that is out of order: the next attempt will say so.
      }
    }
    at::Device device;
  } give_back{attempt.start.device == "cuda" ? at::kCUDA : at::kCPU};
  try {
    if (attempt.request == Request::abort) return;
    if (attempt.start.helping) return help(attempt, send, data, task);
    Loop(attempt, send, data, task).run();
  } catch (const AttemptAborted&) {
  } catch (const std::exception& error) {
    send(protocol::Failed{attempt.start.trial, attempt.start.attempt, failure_kind_of(error),
                          error.what()});
  }
}

void run_attempt(const Attempt& attempt, const Send& send, DataCache& data) {
  const auto begin = [](const TrainingContext& context) {
    return find_task(context.task).begin(context);
  };
  run_attempt(attempt, send, data, {attempt.start.task, begin});
}

}  // namespace windrow::worker
