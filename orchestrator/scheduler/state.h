// The scheduler's state. Plain values: copy it, look at it; change it by the on_<event> functions
// of scheduler.h only. Trials, slots and groups are referred to by their index in the vectors here.
#pragma once

#include <array>
#include <limits>
#include <map>
#include <unordered_map>
#include <vector>

#include "orchestrator/scheduler/indexed_heap.h"
#include "orchestrator/scheduler/ready_waves.h"
#include "orchestrator/scheduler/scheduler.h"

namespace windrow::scheduler {

inline constexpr int kNone = -1;  // no trial, no slot

// A failure that may be the machine's: where, and what it would cost.
struct Charge {
  int slot = kNone;
  int attempt = 0;
  FailureKind kind = FailureKind::crash;
  std::string host;  // "" = not known
};

// The different trials that failed on a slot or an agent since an epoch was reported there.
struct Streak {
  struct Entry {
    int trial = kNone;
    std::uint64_t signature = 0;
    bool acquitted = false;  // the trial did well elsewhere since
  };
  std::vector<Entry> entries;
  int failures = 0;  // with repeated ones
  int acquitted() const;
};

struct Trial {
  TrialId id;
  int group = 0;
  int wave = 0;
  double declared_cost = 1;
  int epochs = 1;
  int epochs_done = 0;  // by its attempt, or the last one, with those of the checkpoint
  int furthest = 0;     // likewise, by any attempt
  int attempts = 0;     // that started, or failed before they did
  std::array<int, protocol::kFailureKindNames.size()> failures{};  // by kind
  std::vector<Charge> charges;         // in this run, of kinds that may be the machine's
  std::vector<EarlierCharge> earlier;  // likewise, in runs before; until something explains them
  int stopped_runs = 0;
  bool failed_before = false;  // or was begun and never trained, in runs before
  // It fails so, however its attempt ends: what it reported can't be stored, or it is cancelled.
  std::optional<FailureKind> doomed;
  TrialPhase phase = TrialPhase::pending;
  int slot = kNone;              // while queued or running
  int widest = 1;                // members that a gang of it may have
  std::vector<int> helpers;      // slots lent to it
  Takes takes = Takes::nothing;  // its attempt
  int gang_failures = 0;         // attempts that ended since a member of the gang was lost
  int last_members = 1;          // of the epoch before

  int epochs_left() const { return epochs > epochs_done ? epochs - epochs_done : 0; }
  double cost_left() const { return declared_cost * epochs_left() / epochs; }
};

// What is expected of the trials of one cell, and how much of it is left.
struct Group {
  double seconds = 0;          // of all measured epochs together
  double epochs_measured = 0;  // 0: nothing known yet
  std::int64_t epochs_left = 0;
  double cost_left = 0;
  std::int64_t trials_left = 0;

  struct Measure {
    double seconds = 0, epochs = 0;
    void add(double s) { seconds += s, ++epochs; }
    double mean() const { return seconds / epochs; }
  };
  std::map<int, Measure> by_members;  // epochs of gangs, by their members
  int widest_worthwhile = std::numeric_limits<int>::max();

  bool measured() const { return epochs_measured > 0; }
  double epoch_seconds() const { return seconds / epochs_measured; }
};

struct Assignment {
  int trial = kNone;
  int attempt = 0;
  bool withdrawing = false;  // it was asked back

  explicit operator bool() const { return trial != kNone; }
};

// The slot helps a trial that another slot leads.
struct Help {
  int trial = kNone;
  int attempt = 0;
  int number = 0;         // no other helper of the run has it
  bool released = false;  // it was told to go, and is free when it says so
  bool threads = false;   // it lends its threads only, and is free at once

  explicit operator bool() const { return trial != kNone; }
};

struct Slot {
  SlotId id;
  AgentId agent;
  bool alive = true;      // its agent is there
  bool drained = false;   // it gets nothing more
  bool guilty = false;    // drained, since trials that failed here did well elsewhere
  Assignment current;     // what runs, or is the first to run
  bool started = false;   // current runs
  Assignment next;        // queued behind current; only where there is a current
  bool awaited = false;   // counted in State::withdrawals_awaited
  bool resting = false;   // it failed, and gets nothing for a while
  bool proven = false;    // an epoch was reported here
  Help help;              // only where there is no current
  int failed_helps = 0;   // in a row
  Streak streak;          // of trials that began here
  int failed_starts = 0;  // of trainers, in a row

  bool in_service() const { return alive && !drained; }
  bool suspect() const { return !streak.entries.empty(); }
};

struct Agent {
  std::vector<int> slots;
  int in_service = 0;  // of them
  std::string host;
  Streak streak;
};

struct State {
  RetryBudgets budgets;
  GangPolicy gangs;
  int widenable = 0;      // trials that a gang may train
  int thread_takers = 0;  // attempts that take threads
  int threads_lent = 0;   // slots of which these are lent
  int last_helper = 0;    // number of the helper lent last
  bool stopping = false;
  bool ever_ready = false;      // some trainer was, in this run or one before
  bool trained_before = false;  // trials were, in runs before this one
  double seconds_left = std::numeric_limits<double>::infinity();

  std::vector<Trial> trials;  // in grid order
  std::unordered_map<TrialId, int> trial_index;
  std::array<int, 5> trials_in_phase{};

  std::vector<Group> groups;
  std::unordered_map<int, int> group_index;
  double measured_seconds = 0;  // of all groups, and
  double measured_cost = 0;     // the declared cost of the same epochs

  std::vector<Slot> slots;  // also those of lost agents, so that a late message finds none of ours
  std::unordered_map<SlotId, int> slot_index;
  std::unordered_map<AgentId, Agent> agents;
  int slots_in_service = 0;
  int agents_in_service = 0;                        // with a slot in service
  std::map<std::string, int> agents_in_service_on;  // a host

  // Pending trials. Those that must avoid a place are apart, so that they never hide one that any
  // slot may take; and those with which a run was stopped come last.
  ReadyWaves fresh;
  ReadyWaves retries;
  ReadyWaves last;

  // Slots in service, by what can be done with them; each is in one of these at most.
  IndexedHeap<int> vacant;                            // without current; by index
  IndexedHeap<double> open;                           // without next; soonest free first
  IndexedHeap<double, std::greater<double>> victims;  // with a next; busy longest first
  int withdrawals_awaited = 0;                        // slots whose next was asked back
};

}  // namespace windrow::scheduler
