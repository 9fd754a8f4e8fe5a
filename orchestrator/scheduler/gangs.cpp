#include "orchestrator/scheduler/gangs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "orchestrator/scheduler/attempts.h"
#include "orchestrator/scheduler/estimates.h"
#include "orchestrator/scheduler/placement.h"

namespace windrow::scheduler {

namespace {

constexpr int kGangFailures = 3;      // after so many a trial is trained alone
constexpr int kFailedHelps = 2;       // after so many a slot helps no more
constexpr double kWorthwhile = 1.05;  // what a wider gang must be faster by

bool is_on(const GangPolicy& policy) {
  return policy.automatic || policy.members > 1;
}

int waiting(const State& state) {
  return count(state, TrialPhase::pending) + static_cast<int>(state.victims.size()) +
         state.withdrawals_awaited;
}

bool nothing_waits(const State& state) {
  return waiting(state) == 0;
}

int members_of(const Trial& trial) {
  return 1 + static_cast<int>(trial.helpers.size());
}

void tell_lead(const State& state, int index, Commands& out) {
  const Trial& trial = state.trials[index];
  if (trial.slot == kNone || !state.slots[trial.slot].started || !state.slots[trial.slot].alive)
    return;
  SetHelpers command{state.slots[trial.slot].id, trial.id, trial.attempts, {}, {}};
  for (const int slot : trial.helpers) {
    const Slot& helper = state.slots[slot];
    if (helper.help.threads)
      command.lent.push_back(helper.id);
    else
      command.numbers.push_back(helper.help.number);
  }
  out.push_back(std::move(command));
}

int widest_of(const State& state, const Trial& trial) {
  const int worthwhile = state.groups[trial.group].widest_worthwhile;
  if (trial.takes == Takes::threads) return worthwhile;
  const int policy =
      state.gangs.automatic ? trial.widest : std::min(state.gangs.members, trial.widest);
  return std::min(policy, worthwhile);
}

// Alone first: what a gang is worth is measured against it. The last epoch isn't worth forming one.
bool takes_another(const State& state, const Trial& trial, Takes what) {
  if (trial.takes != what || trial.gang_failures >= kGangFailures) return false;
  if (members_of(trial) >= widest_of(state, trial)) return false;
  return (what == Takes::members && !state.gangs.automatic) ||
         (state.groups[trial.group].measured() && trial.epochs_left() >= 2);
}

struct Lead {
  double seconds;  // until the trial's end, as it is trained now
  int slot;
  bool operator<(const Lead& other) const {
    return seconds != other.seconds ? seconds < other.seconds : slot > other.slot;
  }
};

Lead lead_at(const State& state, int slot) {
  const Trial& trial = state.trials[state.slots[slot].current.trial];
  return {expected_until_free(state, state.slots[slot]) /
              speed_of(state.groups[trial.group], members_of(trial)),
          slot};
}

}  // namespace

double speed_of(const Group& group, int members) {
  if (members <= 1) return 1;
  double per_member = 1;
  for (const auto& [width, measure] : group.by_members) {
    if (width > members || !group.measured()) break;
    const double speed = group.epoch_seconds() / measure.mean();
    if (width == members) return speed;
    per_member = speed / width;
  }
  return std::max(1.0, per_member * members);
}

bool may_begin_another(const State& state) {
  if (state.gangs.automatic || state.gangs.members <= 1 || state.widenable == 0) return true;
  int reserved = 0;
  for (const Slot& slot : state.slots)
    if (slot.in_service() && slot.current)
      reserved += std::min(state.gangs.members, state.trials[slot.current.trial].widest);
  return reserved == 0 || reserved + state.gangs.members <= state.slots_in_service;
}

void lend(State& state, Commands& out) {
  if (!is_on(state.gangs) || state.widenable == 0 || state.vacant.empty()) return;
  if (state.gangs.automatic && !nothing_waits(state)) return;
  std::vector<Lead> leads;  // a heap: the longest first
  for (std::size_t i = 0; i < state.slots.size(); ++i)
    if (state.slots[i].started &&
        takes_another(state, state.trials[state.slots[i].current.trial], Takes::members))
      leads.push_back(lead_at(state, static_cast<int>(i)));
  std::make_heap(leads.begin(), leads.end());
  std::vector<int> passed_over;
  while (!leads.empty() && !state.vacant.empty()) {
    const int index = state.vacant.top();
    Slot& slot = state.slots[index];
    if (slot.failed_helps >= kFailedHelps) {
      state.vacant.erase(index);
      passed_over.push_back(index);
      continue;
    }
    std::pop_heap(leads.begin(), leads.end());
    const int lead = leads.back().slot;
    leads.pop_back();
    const int trial_index = state.slots[lead].current.trial;
    Trial& trial = state.trials[trial_index];
    slot.help = {trial_index, trial.attempts, ++state.last_helper};
    trial.helpers.push_back(index);
    reindex(state, index);
    out.push_back(
        LendSlot{slot.id, trial.id, trial.attempts, state.slots[lead].id, slot.help.number});
    tell_lead(state, trial_index, out);
    if (takes_another(state, trial, Takes::members)) {
      leads.push_back(lead_at(state, lead));
      std::push_heap(leads.begin(), leads.end());
    }
  }
  for (const int slot : passed_over) reindex(state, slot);
}

void lend_threads(State& state, Commands& out) {
  if (state.thread_takers == 0 || state.vacant.empty() || !nothing_waits(state)) return;
  std::map<AgentId, std::vector<int>> leads;
  for (std::size_t i = 0; i < state.slots.size(); ++i)
    if (state.slots[i].started &&
        takes_another(state, state.trials[state.slots[i].current.trial], Takes::threads))
      leads[state.slots[i].agent].push_back(static_cast<int>(i));
  for (const auto& [agent, candidates] : leads) {
    std::set<int> changed;
    for (const int index : state.agents.at(agent).slots) {
      if (!state.vacant.contains(index)) continue;
      std::optional<Lead> last;
      for (const int lead : candidates) {
        const Trial& trial = state.trials[state.slots[lead].current.trial];
        if (!takes_another(state, trial, Takes::threads)) continue;
        const Lead candidate = lead_at(state, lead);
        if (!last || *last < candidate) last = candidate;
      }
      if (!last) break;
      const int trial = state.slots[last->slot].current.trial;
      state.slots[index].help = {
          .trial = trial, .attempt = state.trials[trial].attempts, .threads = true};
      ++state.threads_lent;
      state.trials[trial].helpers.push_back(index);
      reindex(state, index);
      changed.insert(trial);
    }
    for (const int trial : changed) tell_lead(state, trial, out);
  }
}

void return_threads(State& state, Commands& out) {
  if (state.threads_lent == 0) return;
  int wanted = waiting(state) - static_cast<int>(state.vacant.size());
  for (std::size_t i = state.slots.size(); i-- > 0 && wanted > 0;) {
    if (!state.slots[i].help.threads) continue;
    release(state, static_cast<int>(i), out);
    --wanted;
  }
}

void recall(State& state, Commands& out) {
  if (!state.gangs.automatic || state.widenable == 0 || !state.vacant.empty() ||
      nothing_waits(state))
    return;
  int wanted = waiting(state);
  for (const Slot& slot : state.slots)
    if (slot.help && slot.help.released && wanted > 0) --wanted;  // on its way
  for (std::size_t i = state.slots.size(); i-- > 0 && wanted > 0;) {
    if (!state.slots[i].help || state.slots[i].help.released) continue;
    release(state, static_cast<int>(i), out);
    --wanted;
  }
}

void judge_width(State& state, int index, int members, double epoch_seconds, Commands& out) {
  Trial& trial = state.trials[index];
  Group& group = state.groups[trial.group];
  const bool settled = std::exchange(trial.last_members, members) == members;
  // The first epoch of a gang has its forming in it.
  if (!settled || members <= 1 || !(epoch_seconds > 0)) return;
  group.by_members[members].add(epoch_seconds);
  if (!(state.gangs.automatic || trial.takes == Takes::threads) || !group.measured()) return;
  const double speed = speed_of(group, members);
  if (speed < 0.5 * members && members > 3 && !group.by_members.contains(members / 2)) {
    group.widest_worthwhile = members / 2;  // try that
  } else {
    int best = 1;
    for (const auto& [width, measure] : group.by_members)
      if (speed_of(group, width) > kWorthwhile * speed_of(group, best)) best = width;
    if (best < members) group.widest_worthwhile = best;
  }
  while (members_of(trial) > widest_of(state, trial)) release(state, trial.helpers.back(), out);
}

namespace {

void return_thread(State& state, int slot) {
  state.slots[slot].help = {};
  --state.threads_lent;
  reindex(state, slot);
}

}  // namespace

void disband(State& state, int index) {
  Trial& trial = state.trials[index];
  for (const int slot : std::exchange(trial.helpers, {})) {
    Help& help = state.slots[slot].help;
    help.released = true;
    if (help.threads) return_thread(state, slot);
  }
  if (trial.takes == Takes::threads) --state.thread_takers;
  trial.takes = Takes::nothing;
  trial.last_members = 1;
}

void release(State& state, int slot, Commands& out) {
  Help& help = state.slots[slot].help;
  if (!help || std::exchange(help.released, true)) return;
  const int trial = help.trial;
  std::erase(state.trials[trial].helpers, slot);
  if (help.threads) return_thread(state, slot);
  tell_lead(state, trial, out);
}

void end_help(State& state, int slot, Commands& out) {
  release(state, slot, out);
  state.slots[slot].help = {};
  reindex(state, slot);
}

void on_helper_over(State& state, SlotId id, TrialId trial, int attempt, bool failed,
                    Commands& out) {
  const auto found = state.slot_index.find(id);
  if (found == state.slot_index.end() || !helps(state, id, trial, attempt)) return;
  Slot& slot = state.slots[found->second];
  slot.failed_helps = failed ? slot.failed_helps + 1 : 0;
  end_help(state, found->second, out);
  if (failed && slot.in_service() && !state.stopping) {
    slot.resting = true;
    out.push_back(RestSlot{id, 1});
    reindex(state, found->second);
  }
  dispatch(state, out);
}

bool helps(const State& state, SlotId id, TrialId trial, int attempt) {
  const auto found = state.slot_index.find(id);
  if (found == state.slot_index.end()) return false;
  const Help& help = state.slots[found->second].help;
  return help && help.attempt == attempt && state.trials[help.trial].id == trial;
}

}  // namespace windrow::scheduler
