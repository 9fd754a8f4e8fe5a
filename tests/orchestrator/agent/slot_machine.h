// A slot's state machine with time and process played by the test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/agent/slot.h"

namespace windrow::slot::test {

using namespace protocol;
using std::chrono::seconds;

class Machine {
 public:
  explicit Machine(bool persistent) {
    state.settings.slot = SlotId{3};
    state.settings.trainer.persistent = persistent;
  }

  // ---- the world
  void assign(int trial, int attempt = 1) {
    assign(Start{.trial = TrialId{trial}, .attempt = attempt});
  }
  void assign(Start start) {
    event([&] { on_assign(state, std::move(start), now, out); });
  }
  void stop(bool at_once = false, std::optional<double> within = std::nullopt) {
    event([&] { on_stop(state, at_once, within, now, out); });
  }
  void cancel(int trial, int attempt = 1) {
    event([&] { on_cancel(state, TrialId{trial}, attempt, now, out); });
  }
  void spawned(bool found_checkpoints = false) {
    event([&] { on_spawned(state, found_checkpoints, now, out); });
  }
  void says(FromTrainer message) {
    event([&] {
      on_output(state, now);
      on_message(state, std::move(message), now, out);
    });
  }
  void ready() {
    spawned();
    says(Ready{});
  }
  void prints(int epoch, Metrics metrics) {
    event([&] {
      on_output(state, now);
      on_printed_epoch(state, Epoch{.epoch = epoch, .metrics = std::move(metrics)}, now, out);
    });
  }
  void exits(int code) {
    event([&] {
      on_exit(
          state,
          {.code = code, .describe = "exit code " + std::to_string(code), .stderr_tail = "tail"},
          now, out);
    });
  }
  void dies(int signal) {
    event([&] {
      on_exit(state, {.signal = signal, .describe = "signal " + std::to_string(signal)}, now, out);
    });
  }
  // In steps, as the agent's loop does.
  void wait(double span) {
    const Time end = now + std::chrono::duration_cast<Time::duration>(Seconds(span));
    while (now < end) {
      now = std::min(end, now + std::chrono::milliseconds(50));
      event([&] { on_time(state, now, out); });
    }
  }
  template <class Event>
  void event(Event run) {
    run();
    EXPECT_EQ(check_invariants(state), std::nullopt);
  }

  // ---- what it did; each is asked for once
  template <class A>
  std::vector<A> take() {
    std::vector<A> found;
    std::erase_if(out, [&](const Action& action) {
      const A* one = std::get_if<A>(&action);
      if (one != nullptr) found.push_back(*one);
      return one != nullptr;
    });
    return found;
  }
  template <class M>
  std::vector<M> reports() const {
    std::vector<M> found;
    for (const Action& action : out)
      if (const auto* report = std::get_if<Report>(&action))
        if (const M* message = std::get_if<M>(&report->message)) found.push_back(*message);
    return found;
  }
  std::vector<int> signals() {
    std::vector<int> numbers;
    for (const Signal& signal : take<Signal>()) numbers.push_back(signal.number);
    return numbers;
  }
  std::vector<int> started_trials() {  // start messages and processes
    std::vector<int> trials;
    for (const Action& action : out) {
      if (const auto* write = std::get_if<Write>(&action))
        if (const auto* start = std::get_if<Start>(&write->message))
          trials.push_back(static_cast<int>(start->trial.value));
      if (const auto* spawn = std::get_if<Spawn>(&action); spawn != nullptr && spawn->attempt)
        trials.push_back(static_cast<int>(spawn->attempt->trial.value));
    }
    return trials;
  }

  State state;
  Actions out;
  Time now{seconds(1000)};
};

}  // namespace windrow::slot::test
