#include "orchestrator/scheduler/ready_queue.h"

#include <algorithm>
#include <tuple>

namespace windrow::scheduler {

namespace {

// For the standard heap functions, whose front is the greatest: a is to wait for b.
bool after(const ReadyQueue::Entry& a, const ReadyQueue::Entry& b) {
  return std::tuple(a.epochs_left, a.cost_left, -a.trial) <
         std::tuple(b.epochs_left, b.cost_left, -b.trial);
}

}  // namespace

ReadyQueue::Waiting& ReadyQueue::waiting(int group) {
  if (static_cast<std::size_t>(group) >= waiting_.size()) waiting_.resize(group + 1);
  return waiting_[group];
}

void ReadyQueue::rank(int group) {
  const Waiting& trials = waiting_[group];
  if (trials.entries.empty()) {
    measured_.erase(group);
    unmeasured_.erase(group);
    return;
  }
  const Entry& first = trials.entries.front();
  if (trials.epoch_seconds)
    measured_.set(group, {*trials.epoch_seconds * first.epochs_left, first.trial});
  else
    unmeasured_.set(group, {first.cost_left, first.trial});
}

void ReadyQueue::push(const Entry& entry) {
  auto& entries = waiting(entry.group).entries;
  entries.push_back(entry);
  std::push_heap(entries.begin(), entries.end(), after);
  ++size_;
  if (entries.front().trial == entry.trial) rank(entry.group);
}

std::optional<ReadyQueue::Top> ReadyQueue::top(double seconds_per_cost) const {
  const Groups* longest = nullptr;
  double expected = 0;
  if (!measured_.empty()) {
    longest = &measured_;
    expected = measured_.top_key().expected;
  }
  if (!unmeasured_.empty()) {
    const Rank other{unmeasured_.top_key().expected * seconds_per_cost,
                     unmeasured_.top_key().trial};
    if (longest == nullptr || LongestFirst{}(other, measured_.top_key())) {
      longest = &unmeasured_;
      expected = other.expected;
    }
  }
  if (longest == nullptr) return std::nullopt;
  return Top{waiting_[longest->top()].entries.front(), expected};
}

void ReadyQueue::pop(const Top& top) {
  auto& entries = waiting_[top.entry.group].entries;
  std::pop_heap(entries.begin(), entries.end(), after);
  entries.pop_back();
  --size_;
  rank(top.entry.group);
}

bool ReadyQueue::remove(int group, int trial) {
  auto& entries = waiting(group).entries;
  const auto found = std::ranges::find(entries, trial, &Entry::trial);
  if (found == entries.end()) return false;
  entries.erase(found);
  std::make_heap(entries.begin(), entries.end(), after);
  --size_;
  rank(group);
  return true;
}

void ReadyQueue::measure(int group, double epoch_seconds) {
  Waiting& trials = waiting(group);
  if (!trials.epoch_seconds) unmeasured_.erase(group);
  trials.epoch_seconds = epoch_seconds;
  rank(group);
}

std::vector<int> ReadyQueue::trials() const {
  std::vector<int> all;
  for (const Waiting& group : waiting_)
    for (const Entry& entry : group.entries) all.push_back(entry.trial);
  return all;
}

bool ReadyQueue::consistent() const {
  std::size_t entries = 0, groups = 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& group = waiting_[i];
    const bool ranked = group.epoch_seconds ? measured_.contains(static_cast<int>(i))
                                            : unmeasured_.contains(static_cast<int>(i));
    if (ranked != !group.entries.empty()) return false;
    if (!std::is_heap(group.entries.begin(), group.entries.end(), after)) return false;
    entries += group.entries.size();
    groups += ranked;
  }
  return entries == static_cast<std::size_t>(size_) &&
         groups == measured_.size() + unmeasured_.size();
}

}  // namespace windrow::scheduler
