#include "orchestrator/coordinator/time_account.h"

#include <algorithm>
#include <utility>

namespace windrow {

TimeAccount::Slot& TimeAccount::at(SlotId slot) {
  const auto index = static_cast<std::size_t>(slot.value);
  if (slots_.size() <= index) slots_.resize(index + 1);
  return slots_[index];
}

double& TimeAccount::beside_epochs(TimeUse& use, End how) {
  if (how == End::failed) return use.failed;
  return how == End::stopped ? use.stopped : use.other;
}

// What the slot did since it began to.
void TimeAccount::add(const Slot& slot, double now, End how, TimeUse& use) {
  const double seconds = std::max(0.0, now - slot.since);
  switch (slot.doing) {
    case Doing::gone:
      break;
    case Doing::idle:
      use.idle += seconds;
      break;
    case Doing::starting:
      use.starting += seconds;
      break;
    case Doing::helping:
      use.training += seconds;
      break;
    case Doing::training: {
      const double finished = how == End::finished ? seconds : 0;
      const double trained = slot.epochs > 0 ? std::min(slot.trained, seconds) : finished;
      use.training += trained;
      beside_epochs(use, how) += seconds - trained;
      break;
    }
  }
}

void TimeAccount::turn_to(Slot& slot, Doing doing, double now) {
  slot.doing = doing;
  slot.since = now;
  slot.trained = 0;
  slot.epochs = 0;
}

void TimeAccount::turn_to_next(Slot& slot, double now) {
  turn_to(slot, slot.queued > 0 ? Doing::starting : Doing::idle, now);
  slot.queued = std::max(0, slot.queued - 1);
}

void TimeAccount::joined(SlotId id, double now) {
  turn_to(at(id), Doing::idle, now);
  most_present_ = std::max(most_present_, ++present_);
}

void TimeAccount::gone(SlotId id, double now) {
  Slot& slot = at(id);
  if (slot.doing == Doing::gone) return;
  add(slot, now, End::failed, use_);
  turn_to(slot, Doing::gone, now);
  slot.queued = 0;
  --present_;
}

void TimeAccount::assigned(SlotId id, double now) {
  Slot& slot = at(id);
  if (slot.doing != Doing::idle) {
    ++slot.queued;
    return;
  }
  add(slot, now, End::finished, use_);
  turn_to(slot, Doing::starting, now);
}

void TimeAccount::withdrawn(SlotId id, double now) {
  Slot& slot = at(id);
  if (slot.queued > 0) {
    --slot.queued;
  } else if (slot.doing == Doing::starting) {
    add(slot, now, End::finished, use_);
    turn_to(slot, Doing::idle, now);
  }
}

void TimeAccount::started(SlotId id, TrialId trial, double now) {
  Slot& slot = at(id);
  add(slot, now, End::finished, use_);
  turn_to(slot, Doing::training, now);
  slot.trial = trial;
}

void TimeAccount::epoch(SlotId id, double seconds, int members) {
  Slot& slot = at(id);
  if (slot.doing != Doing::training || !(seconds > 0)) return;
  slot.trained += seconds;
  ++slot.epochs;
  Work& work = trials_[slot.trial];
  work.seconds += seconds * std::max(members, 1);
  work.widened = work.widened || members > 1;
}

void TimeAccount::ended(SlotId id, End how, double now) {
  Slot& slot = at(id);
  if (slot.doing == Doing::gone) return;
  if (slot.doing == Doing::training && slot.epochs == 0 && how == End::finished)
    trials_[slot.trial].seconds += std::max(0.0, now - slot.since);
  add(slot, now, how, use_);
  turn_to_next(slot, now);
}

void TimeAccount::lent(SlotId id, double now) {
  Slot& slot = at(id);
  if (slot.doing != Doing::idle) return;
  add(slot, now, End::finished, use_);
  turn_to(slot, Doing::helping, now);
}

void TimeAccount::returned(SlotId id, double now) {
  Slot& slot = at(id);
  if (slot.doing != Doing::helping) return;
  add(slot, now, End::finished, use_);
  turn_to_next(slot, now);
}

TimeUse TimeAccount::use(double now) const {
  TimeUse use = use_;
  for (const Slot& slot : slots_) add(slot, now, End::finished, use);
  return use;
}

double TimeAccount::lower_bound() const {
  if (most_present_ == 0) return 0;
  double total = 0, longest = 0;
  for (const auto& [trial, work] : trials_) {
    total += work.seconds;
    if (!work.widened) longest = std::max(longest, work.seconds);
  }
  return std::max(total / most_present_, longest);
}

}  // namespace windrow
