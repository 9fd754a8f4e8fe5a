// A small test bench: a state, the commands it gave, and checks after each event.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "orchestrator/scheduler/scheduler.h"
#include "orchestrator/scheduler/state.h"

namespace windrow::scheduler {

class Bench {
 public:
  explicit Bench(RetryBudgets budgets = {}, GangPolicy gangs = {})
      : state(make_state(budgets, gangs)) {}
  ~Bench() { EXPECT_EQ(check_invariants(state).value_or(""), ""); }

  // Trials 1.. of one epoch-group each, with these declared costs.
  void add(const std::vector<double>& costs, int epochs = 1, int widest = 1) {
    std::vector<TrialSpec> specs;
    for (const double cost : costs) {
      TrialSpec spec;
      spec.trial = TrialId{++trials_};
      spec.group = static_cast<int>(trials_);
      spec.declared_cost = cost;
      spec.epochs = epochs;
      spec.widest = widest;
      specs.push_back(spec);
    }
    on_trials_added(state, specs, out);
  }
  // An agent with slots first .. first + count - 1.
  void join(int agent, int first, int count, const std::string& host = "") {
    std::vector<SlotId> slots;
    for (int i = 0; i < count; ++i) slots.push_back(SlotId{first + i});
    on_agent_joined(state, AgentId{agent}, slots, out, host);
  }
  void start(int slot, int trial, int attempt = 1) {
    on_attempt_started(state, SlotId{slot}, TrialId{trial}, attempt, out);
  }
  void epoch(int slot, int trial, int epoch, double seconds, int attempt = 1) {
    on_epoch(state, SlotId{slot}, TrialId{trial}, attempt, epoch, seconds, out);
  }
  // For gangs: an attempt that can lead one, an epoch of several members, a helper that goes.
  void lead(int slot, int trial, int attempt = 1) {
    on_attempt_started(state, SlotId{slot}, TrialId{trial}, attempt, out, Takes::members);
  }
  void take_threads(int slot, int trial, int attempt = 1) {
    on_attempt_started(state, SlotId{slot}, TrialId{trial}, attempt, out, Takes::threads);
  }
  void gang_epoch(int slot, int trial, int epoch, double seconds, int members) {
    on_epoch(state, SlotId{slot}, TrialId{trial}, 1, epoch, seconds, out, members);
  }
  void helper_over(int slot, int trial, bool failed = false) {
    on_helper_over(state, SlotId{slot}, TrialId{trial}, 1, failed, out);
  }
  void finish(int slot, int trial, int attempt = 1) {
    on_attempt_finished(state, SlotId{slot}, TrialId{trial}, attempt, out);
  }
  void fail(int slot, int trial, int attempt, FailureKind kind,
            protocol::Reached reached = protocol::Reached::started) {
    on_attempt_failed(state, SlotId{slot}, TrialId{trial}, attempt,
                      {kind, reached, static_cast<std::uint64_t>(kind)}, out);
  }
  void lose(int agent) { on_agent_lost(state, AgentId{agent}, out); }
  void rest_over(int slot) { on_slot_rested(state, SlotId{slot}, out); }
  void give_back(int slot, int trial, int attempt = 1) {
    on_withdrawn(state, SlotId{slot}, TrialId{trial}, attempt, out);
  }

  // The commands since the last call, as "assign 3 to 0 (attempt 1)", "withdraw 2 from 1",
  // "end 2 at 1", "trial 4 failed", "slot 0 drained", "lend 3 to 4 as 1", "helpers of 4: 1 2".
  std::vector<std::string> said() {
    std::vector<std::string> texts;
    for (const Command& command : out) texts.push_back(text(command));
    out.clear();
    return texts;
  }

  TrialPhase phase(int trial) const { return phase_of(state, TrialId{trial}).value(); }

  State state;
  Commands out;

 private:
  static std::string text(const Command& command) {
    if (const auto* assign = std::get_if<AssignTrial>(&command))
      return "assign " + std::to_string(assign->trial.value) + " to " +
             std::to_string(assign->slot.value) + " (attempt " + std::to_string(assign->attempt) +
             ")";
    if (const auto* withdraw = std::get_if<WithdrawTrial>(&command))
      return "withdraw " + std::to_string(withdraw->trial.value) + " from " +
             std::to_string(withdraw->slot.value);
    if (const auto* end = std::get_if<EndAttempt>(&command))
      return "end " + std::to_string(end->trial.value) + " at " + std::to_string(end->slot.value);
    if (const auto* failed = std::get_if<TrialFailed>(&command))
      return "trial " + std::to_string(failed->trial.value) + " failed";
    if (const auto* forgiven = std::get_if<FailureForgiven>(&command))
      return "trial " + std::to_string(forgiven->trial.value) + " forgiven " +
             std::to_string(forgiven->attempt);
    if (const auto* rest = std::get_if<RestSlot>(&command))
      return "slot " + std::to_string(rest->slot.value) + " rests " +
             std::to_string(static_cast<int>(rest->seconds)) + " s";
    if (const auto* lend = std::get_if<LendSlot>(&command))
      return "lend " + std::to_string(lend->slot.value) + " to " +
             std::to_string(lend->trial.value) + " as " + std::to_string(lend->number);
    if (const auto* helpers = std::get_if<SetHelpers>(&command)) {
      std::string text = "helpers of " + std::to_string(helpers->trial.value) + ":";
      for (const int number : helpers->numbers) text += " " + std::to_string(number);
      if (!helpers->lent.empty()) text += " threads of";
      for (const SlotId lent : helpers->lent) text += " " + std::to_string(lent.value);
      return text;
    }
    if (const auto* stop = std::get_if<StopRun>(&command))
      return stop->why == StopRun::Why::never_ready ? "run refused" : "run stopped";
    if (const auto* back = std::get_if<SlotReadmitted>(&command))
      return "slot " + std::to_string(back->slot.value) + " readmitted";
    return "slot " + std::to_string(std::get<SlotDrained>(command).slot.value) + " drained";
  }

  std::int64_t trials_ = 0;
};

using Said = std::vector<std::string>;

}  // namespace windrow::scheduler
