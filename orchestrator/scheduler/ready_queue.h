// Trials that wait for a slot, longest expected first.
//
// Trials are ordered by groups: within a group by epochs left, and the groups by what is expected
// of their first trial. A new measure of a group so moves one entry, however many trials wait.
// Groups that are measured (in seconds) and those that are not (in declared cost) are kept apart,
// so that a change of the exchange rate between the two moves no entry at all.
#pragma once

#include <optional>
#include <vector>

#include "orchestrator/scheduler/indexed_heap.h"

namespace windrow::scheduler {

class ReadyQueue {
 public:
  struct Entry {
    int trial = 0;  // index; a lower one is earlier in grid order
    int group = 0;  // index
    int epochs_left = 0;
    double cost_left = 0;  // the part of the declared cost
    int wave = 0;          // see ReadyWaves
  };
  struct Top {
    Entry entry;
    double expected = 0;  // seconds, or declared cost while no group is measured
  };

  bool empty() const { return size_ == 0; }
  int size() const { return size_; }

  void push(const Entry& entry);  // O(log n)

  // The longest expected; `seconds_per_cost` makes declared costs comparable. nullopt: empty.
  std::optional<Top> top(double seconds_per_cost) const;

  // Removes what top() gave last (nothing was pushed, popped or measured since).
  void pop(const Top& top);

  // Takes the trial out, wherever it waits in its group; false: it doesn't. O(trials of the group).
  bool remove(int group, int trial);

  // The group is measured: its trials take so long for an epoch. O(log groups).
  void measure(int group, double epoch_seconds);

  // For checks, O(n): the trials that wait, in no order; whether each group is ranked as its first
  // trial says.
  std::vector<int> trials() const;
  bool consistent() const;

 private:
  struct Waiting {               // the trials of one group
    std::vector<Entry> entries;  // a heap
    std::optional<double> epoch_seconds;
  };
  struct Rank {
    double expected;
    int trial;
  };
  struct LongestFirst {
    bool operator()(const Rank& a, const Rank& b) const {
      return a.expected != b.expected ? a.expected > b.expected : a.trial < b.trial;
    }
  };
  using Groups = IndexedHeap<Rank, LongestFirst>;

  Waiting& waiting(int group);
  void rank(int group);

  std::vector<Waiting> waiting_;  // by group
  Groups measured_;               // ranked by seconds
  Groups unmeasured_;             // ranked by declared cost
  int size_ = 0;
};

}  // namespace windrow::scheduler
