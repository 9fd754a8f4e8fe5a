// One filled-in example of each message: every member differs from its default, so that a key
// that is not carried shows.
#pragma once

#include "protocol/messages.h"

namespace windrow::protocol::samples {

inline EarlyStopping early_stopping() {
  return {"val_mse", Goal::maximize, 7, 1e-3, false};
}

inline Start start() {
  return {TrialId{41},
          3,
          "cifar10",
          Json{{"lr", 0.001}, {"model", "cnn5x5"}, {"none", nullptr}},
          -9,
          early_stopping(),
          "cuda",
          4,
          "/data",
          "/scratch/41",
          12,
          {{1, 0.5}, {3, 0.25}},
          4,
          12.5,
          Helping{"host:4711", 6}};
}

inline std::vector<ToTrainer> to_trainer() {
  return {start(), Stop{TrialId{1}, 2}, Abort{TrialId{3}, 4}, SetGang{TrialId{3}, 4, {1, 5}, 2, 6}};
}

inline std::vector<FromTrainer> from_trainer() {
  return {
      Ready{Json{{"torch", "2.11.0"}}, "NVIDIA H200", {"cifar10", "choice-sets"}},
      Started{TrialId{5}, 2, 7, Json{{"parameters", 21001}}, 40123, true, "cpu", "float32"},
      Epoch{TrialId{5}, 2, 8, {{"loss", 0.1}, {"top1", 1e-17}}, 2.5, "ab", "epoch-8.ckpt", "cd", 3},
      Finished{TrialId{5}, 2, 8, {{"loss", 0.25}}, 4, Json{{"confusion", {1, 2}}}, 3.5},
      Failed{TrialId{6}, 1, TrainerFailure::oom, "out of memory: \"4 GiB\"\nasked"},
      Stopped{TrialId{6}, 1},
      Log{"warning", "text"},
      Heartbeat{TrialId{6}, 9}};
}

inline std::vector<ToAgent> to_agent() {
  return {Welcome{{SlotId{0}, SlotId{5}},
                  {{"python3", "train.py"},
                   true,
                   Arguments::hydra,
                   true,
                   3,
                   5.5,
                   60.5,
                   {"conf"},
                   {"src"},
                   "/code/1"},
                  12.5,
                  7.5,
                  1700000000000},
          Assign{SlotId{2}, start()},
          Withdraw{SlotId{2}, TrialId{8}, 4},
          CancelTrial{SlotId{2}, TrialId{8}, 5},
          SetSlotGang{SlotId{2}, {TrialId{8}, 4, {7}}},
          StopAll{true},
          Forget{TrialId{8}, "/scratch/8"},
          Leave{"another version", true},
          Alive{}};
}

inline std::vector<FromAgent> from_agent() {
  return {Hello{"0.1.0",
                "hash",
                "node7",
                4711,
                {{"cuda:3", 2}, {"cpu", 1}},
                {"no disk"},
                {"4711_3", 2, "n7", 1'780'000'000'000}},
          ProgramSeen{{"ab", {"python3", "train.py"}, Json{{"train.py", "cd"}}}},
          EnvironmentSeen{Json{{"cpu", "a CPU"}}},
          TrainerReady{SlotId{1}, {Json{{"torch", "2.11.0"}}, "cpu", {"cifar10"}}},
          AttemptStarted{SlotId{1}, {TrialId{5}, 2, 7, Json{{"parameters", 3}}}, "ab"},
          AttemptEpoch{SlotId{1}, {TrialId{5}, 2, 8, {{"loss", 0.5}}, 2.5, "ab", "c", "cd"}},
          AttemptFinished{SlotId{1},
                          {TrialId{5}, 2, 8, {{"loss", 0.5}}, 3, Json{{"a", 1}}, 3.5, 77},
                          6,
                          Usage{2.5, 99}},
          AttemptFailed{SlotId{1}, TrialId{5}, 2, FailureKind::hang, "died", Reached::started, 3, 9,
                        "tail", 6, Usage{1.5, 1 << 20}, 1 << 30},
          AttemptWarning{SlotId{1}, TrialId{5}, 2, "odd"},
          SlotLost{SlotId{1}, "a process that can't be ended"},
          SlotClosing{SlotId{1}},
          Withdrawn{SlotId{1}, TrialId{5}, 2},
          AgentHeartbeat{},
          StopRequested{"SIGTERM"},
          Goodbye{"end"}};
}

}  // namespace windrow::protocol::samples
