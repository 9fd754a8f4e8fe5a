// Early stopping on one metric, as Keras and PyTorch Lightning define it: stop when the metric has
// not improved for `patience` epochs in a row. Used by windrow-trainer and, for all other trainers,
// by the agent.
#pragma once

#include <string>
#include <vector>

namespace windrow::protocol {

enum class Goal { minimize, maximize };

struct EarlyStopping {
  std::string metric;  // for example "val_loss"
  Goal goal = Goal::minimize;
  int patience = 5;          // epochs without improvement before the trial ends; at least 1
  double min_delta = 0;      // a change smaller than this is no improvement; at least 0
  bool restore_best = true;  // the trial's result is that of the best epoch, with its weights

  friend bool operator==(const EarlyStopping&, const EarlyStopping&) = default;
};

// The watched metric of an epoch.
struct Watched {
  int epoch = 1;     // from 1
  double value = 0;  // NaN: no number
  friend bool operator==(const Watched&, const Watched&) = default;
};

// The state: feed it each epoch's metric. An epoch that comes again (a trial went on from an
// earlier one) replaces what was known from it on.
class EarlyStoppingMonitor {
 public:
  // `history`: of the epochs that earlier attempts trained, in order.
  explicit EarlyStoppingMonitor(EarlyStopping rule, const std::vector<Watched>& history = {})
      : rule_(std::move(rule)) {
    for (const Watched& one : history) observe(one.epoch, one.value);
  }

  // Records `epoch` (from 1); true when it improved on the best so far. NaN never improves.
  bool observe(int epoch, double value) {
    if (!history_.empty() && history_.back().epoch >= epoch) go_back_before(epoch);
    history_.push_back({epoch, value});
    const double gain = rule_.goal == Goal::minimize ? best_value_ - value : value - best_value_;
    const bool improved = best_epoch_ == 0 ? value == value : gain > rule_.min_delta;
    if (improved) {
      best_epoch_ = epoch;
      best_value_ = value;
      waited_ = 0;
    } else {
      ++waited_;
    }
    return improved;
  }
  bool should_stop() const { return waited_ >= rule_.patience; }
  int best_epoch() const { return best_epoch_; }  // 0: none yet
  double best_value() const { return best_value_; }
  const EarlyStopping& rule() const { return rule_; }

 private:
  void go_back_before(int epoch) {
    std::vector<Watched> kept;
    for (const Watched& one : history_)
      if (one.epoch < epoch) kept.push_back(one);
    *this = EarlyStoppingMonitor(rule_, kept);
  }

  EarlyStopping rule_;
  std::vector<Watched> history_;
  int best_epoch_ = 0;
  double best_value_ = 0;
  int waited_ = 0;
};

}  // namespace windrow::protocol
