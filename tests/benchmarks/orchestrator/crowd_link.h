// Ranks that train nothing, as a link of rank 0's: each of their slots answers what it is assigned
// with a start, epochs and a result. What they cost is counted apart from what the coordinator
// does.
#pragma once

#include <time.h>

#include <deque>
#include <utility>
#include <vector>

#include "orchestrator/transport/link.h"
#include "protocol/wire.h"

namespace windrow::benchmarks {

inline double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class CrowdLink final : public Link {
 public:
  CrowdLink(int ranks, int slots, int epochs, const std::string& study_hash)
      : ranks_(ranks), epochs_(epochs) {
    for (int rank = 1; rank <= ranks; ++rank)
      say(rank, protocol::Hello{.version = WINDROW_VERSION,
                                .study_hash = study_hash,
                                .host = "node" + std::to_string(rank),
                                .pid = rank,
                                .slots = std::vector<protocol::SlotInfo>(
                                    static_cast<std::size_t>(slots), {"cpu", 1}),
                                .faults = {},
                                .job = {}});
  }

  // Nothing is said while it is true: the database has not kept up.
  bool held_back = false;
  std::int64_t said = 0, heard = 0, assigned = 0;  // messages; trials of them
  double own_cpu_seconds = 0;

  int rank() const override { return 0; }
  int size() const override { return ranks_ + 1; }
  LocalShare local_share(std::uint64_t) override { return {}; }
  void forget(int) override {}
  void finish() override {}

  void send(int rank, std::vector<std::uint8_t> bytes) override {
    const double begin = thread_cpu_seconds();
    ++heard;
    const protocol::ToAgent message = protocol::decode_to_agent(bytes);
    if (const auto* welcome = std::get_if<protocol::Welcome>(&message)) {
      for (const SlotId slot : welcome->slots) {
        if (slots_.size() <= static_cast<std::size_t>(slot.value))
          slots_.resize(static_cast<std::size_t>(slot.value) + 1);
        slots_[static_cast<std::size_t>(slot.value)] = {.rank = rank, .waiting = {}};
      }
    } else if (const auto* assign = std::get_if<protocol::Assign>(&message)) {
      ++assigned;
      Slot& slot = slots_[static_cast<std::size_t>(assign->slot.value)];
      slot.waiting.push_back({assign->start.trial, assign->start.attempt});
      if (slot.waiting.size() == 1) ready_.push_back(assign->slot);
    } else if (const auto* withdraw = std::get_if<protocol::Withdraw>(&message)) {
      Slot& slot = slots_[static_cast<std::size_t>(withdraw->slot.value)];
      const std::pair wanted{withdraw->trial, withdraw->attempt};
      if (slot.waiting.size() > 1 && slot.waiting.back() == wanted) {
        slot.waiting.pop_back();
        say(rank, protocol::Withdrawn{withdraw->slot, withdraw->trial, withdraw->attempt});
      }
    } else if (std::holds_alternative<protocol::Leave>(message)) {
      say(rank, protocol::Goodbye{});
    }
    own_cpu_seconds += thread_cpu_seconds() - begin;
  }

  bool receive(int& rank, std::vector<std::uint8_t>& bytes) override {
    if (held_back) return false;
    const double begin = thread_cpu_seconds();
    if (outbox_.empty() && !ready_.empty()) train();
    const bool any = !outbox_.empty();
    if (any) {
      rank = outbox_.front().first;
      bytes = std::move(outbox_.front().second);
      outbox_.pop_front();
      ++said;
    }
    own_cpu_seconds += thread_cpu_seconds() - begin;
    return any;
  }

 private:
  struct Slot {
    int rank = 0;
    std::deque<std::pair<TrialId, int>> waiting;  // trial and attempt; the first one runs
    int next = 0;                                 // its message: 0 = it has started
  };

  void say(int rank, const protocol::FromAgent& message) {
    outbox_.emplace_back(rank, protocol::encode(message));
  }

  // The next message of the slot whose turn it is.
  void train() {
    const SlotId id = ready_.front();
    ready_.pop_front();
    Slot& slot = slots_[static_cast<std::size_t>(id.value)];
    const auto [trial, attempt] = slot.waiting.front();
    const int step = slot.next++;
    if (step == 0) {
      say(slot.rank, protocol::AttemptStarted{id, {.trial = trial, .attempt = attempt}, "program"});
    } else if (step <= epochs_) {
      protocol::Epoch epoch{.trial = trial, .attempt = attempt, .epoch = step};
      epoch.metrics = {{"loss", 1.0 / (step + static_cast<double>(trial.value % 97))},
                       {"accuracy", 0.5},
                       {"val_loss", 2.0 / step},
                       {"val_accuracy", 0.4}};
      epoch.wall_seconds = 60;
      epoch.state_hash = "00112233445566778899aabbccddeeff";
      say(slot.rank, protocol::AttemptEpoch{id, std::move(epoch)});
    } else {
      say(slot.rank, protocol::AttemptFinished{
                         id, {.trial = trial, .attempt = attempt, .epochs = epochs_}, 0, {}});
      slot.waiting.pop_front();
      slot.next = 0;
    }
    if (!slot.waiting.empty()) ready_.push_back(id);
  }

  int ranks_, epochs_;
  std::vector<Slot> slots_;  // by id
  std::deque<SlotId> ready_;
  std::deque<std::pair<int, std::vector<std::uint8_t>>> outbox_;
};

}  // namespace windrow::benchmarks
