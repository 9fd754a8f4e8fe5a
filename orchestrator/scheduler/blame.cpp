#include "orchestrator/scheduler/blame.h"

#include <algorithm>
#include <set>

#include "orchestrator/scheduler/attempts.h"
#include "orchestrator/scheduler/placement.h"
#include "orchestrator/scheduler/starts.h"

namespace windrow::scheduler {

int Streak::acquitted() const {
  return static_cast<int>(std::ranges::count_if(entries, &Entry::acquitted));
}

namespace {

using Entry = Streak::Entry;

Entry* find(Streak& streak, int trial) {
  const auto found = std::ranges::find(streak.entries, trial, &Entry::trial);
  return found == streak.entries.end() ? nullptr : &*found;
}

void enter(Streak& streak, const Entry& entry) {
  ++streak.failures;
  if (Entry* old = find(streak, entry.trial))
    *old = entry;
  else
    streak.entries.push_back(entry);
}

void remove(Streak& streak, int trial) {
  std::erase_if(streak.entries, [&](const Entry& entry) { return entry.trial == trial; });
  if (streak.entries.empty()) streak.failures = 0;
}

Streak& agent_streak(State& state, int slot) {
  return state.agents.at(state.slots[slot].agent).streak;
}
bool agent_known(const State& state, int slot) {
  return state.agents.contains(state.slots[slot].agent);
}

template <class AnyCharge>
void forgive(State& state, int trial, const AnyCharge& charge, bool run_stopped, Commands& out) {
  int& failures = state.trials[trial].failures[static_cast<std::size_t>(charge.kind)];
  failures = std::max(failures - 1, 0);
  out.push_back(FailureForgiven{state.trials[trial].id, charge.attempt, run_stopped});
}

// It did well on another host than those where it failed in earlier runs.
void acquit_of_earlier(State& state, int slot, int trial, Commands& out) {
  const std::string& host = host_of(state, state.slots[slot].agent);
  std::erase_if(state.trials[trial].earlier, [&](const EarlierCharge& charge) {
    const bool elsewhere = charge.host != host;
    if (elsewhere) forgive(state, trial, charge, false, out);
    return elsewhere;
  });
}

// The charges of all trials on these slots are taken back: the slots are to blame.
void forgive_on(State& state, const std::vector<int>& slots, Commands& out) {
  std::set<int> trials;
  for (const int slot : slots)
    for (const Entry& entry : state.slots[slot].streak.entries) trials.insert(entry.trial);
  for (const int index : trials)
    std::erase_if(state.trials[index].charges, [&](const Charge& charge) {
      const bool there = std::ranges::find(slots, charge.slot) != slots.end();
      if (there) forgive(state, index, charge, false, out);
      return there;
    });
}

void drain_slot(State& state, int slot, const std::string& reason, Commands& out) {
  forgive_on(state, {slot}, out);
  state.slots[slot].guilty = true;
  drain(state, slot, reason, out);
}

void drain_agent(State& state, int slot, Commands& out) {
  const std::vector<int> slots = state.agents.at(state.slots[slot].agent).slots;
  forgive_on(state, slots, out);
  const int trials = agent_streak(state, slot).acquitted();
  for (const int each : slots) {
    if (!state.slots[each].in_service()) continue;
    state.slots[each].guilty = true;
    drain(state, each,
          std::to_string(trials) + " trials failed on this host in a row that did well on others",
          out);
  }
}

// Where each agent that is left fails trial after trial, those that were drained may be no worse.
void readmit_drained(State& state, Commands& out) {
  const int limit = state.budgets.slot_failures_in_a_row;
  const auto fails_all = [&](const auto& agent) {
    return agent.second.in_service == 0 ||
           static_cast<int>(agent.second.streak.entries.size()) >= limit;
  };
  if (limit <= 0 || state.stopping || !std::ranges::all_of(state.agents, fails_all)) return;
  for (std::size_t i = 0; i < state.slots.size(); ++i) {
    Slot& slot = state.slots[i];
    const auto index = static_cast<int>(i);
    if (!slot.guilty || !slot.alive || !agent_known(state, index)) continue;
    slot.guilty = slot.drained = slot.resting = false;
    slot.streak = {};
    Streak& of_agent = agent_streak(state, index);
    if (state.agents.at(slot.agent).in_service == 0) of_agent = {};
    enter_service(state, index);
    out.push_back(SlotReadmitted{slot.id});
    reindex(state, index);
  }
}

// The last ones stay: that everything fails everywhere is found out by stop_if_all_fail().
void drain_guilty(State& state, int slot, Commands& out) {
  const int limit = state.budgets.slot_failures_in_a_row;
  if (limit <= 0 || !agent_known(state, slot)) return;
  if (state.agents_in_service > 1 && agent_streak(state, slot).acquitted() >= limit)
    drain_agent(state, slot, out);
  const Slot& suspect = state.slots[slot];
  if (suspect.in_service() && state.slots_in_service > 1 && suspect.streak.acquitted() >= limit)
    drain_slot(state, slot,
               std::to_string(suspect.streak.acquitted()) +
                   " trials failed on it in a row that did well on other slots",
               out);
}

// The trial fails on one agent after the other: the places before are cleared of it.
void clear_earlier_places(State& state, int slot, int trial) {
  std::erase_if(state.trials[trial].earlier, [&](const EarlierCharge& charge) {
    return charge.host != host_of(state, state.slots[slot].agent);
  });
  for (const Charge& charge : state.trials[trial].charges) {
    if (state.slots[charge.slot].agent == state.slots[slot].agent &&
        (state.agents_in_service > 1 || charge.slot == slot))
      continue;
    remove(state.slots[charge.slot].streak, trial);
    reindex(state, charge.slot);
    if (agent_known(state, charge.slot) &&
        state.slots[charge.slot].agent != state.slots[slot].agent)
      remove(agent_streak(state, charge.slot), trial);
  }
}

// From the first failure in a row on, at a slot that never worked; from the second one on at one
// that did.
void rest_after(State& state, int slot, int failures, Commands& out) {
  rest(state, slot, failures - (state.slots[slot].proven ? 2 : 1), out);
}

bool all_slots_fail_alike(const State& state, std::set<int>& trials) {
  std::optional<std::uint64_t> signature;
  for (const Slot& slot : state.slots) {
    if (!slot.in_service()) continue;
    if (slot.streak.failures < 2) return false;
    for (const Entry& entry : slot.streak.entries) {
      if (entry.acquitted || signature.value_or(entry.signature) != entry.signature) return false;
      signature = entry.signature;
      if (state.trials[entry.trial].stopped_runs < state.budgets.stopped_runs_to_charge)
        trials.insert(entry.trial);
    }
  }
  return signature.has_value();
}

// True where the run is stopped.
bool stop_if_all_fail(State& state, Commands& out) {
  std::set<int> trials;
  if (state.stopping || !all_slots_fail_alike(state, trials)) return false;
  if (static_cast<int>(trials.size()) < state.budgets.failures_to_stop) return false;
  stop_run(state, StopRun::Why::all_alike, out);
  return true;
}

// Over its budget, but on places where others fail as well, or on which nothing ever worked while
// there are agents that it was not tried on: not yet, though not without end.
bool is_in_doubt(const State& state, const Trial& trial, int failures, int retries) {
  if (failures > 2 * retries + 2 || trial.stopped_runs >= state.budgets.stopped_runs_to_charge)
    return false;
  const bool untried = agents_failed(state, trial) < state.agents_in_service;
  const auto doubtful = [&](const Charge& charge) {
    const Slot& slot = state.slots[charge.slot];
    return slot.streak.entries.size() > 2 || (!slot.proven && untried);
  };
  return std::ranges::any_of(trial.charges, doubtful);
}

// Whether the trial fails, or everything would since the runs before: nothing was trained in this
// one, and no trial is left that did not fail.
bool nothing_tells(const State& state, const Trial& trial) {
  const auto over = [](const Trial& one) {
    return one.phase == TrialPhase::finished || one.phase == TrialPhase::failed;
  };
  const auto fails = [&](const Trial& one) { return over(one) || !one.charges.empty(); };
  return state.trained_before && !trial.failed_before &&
         trial.stopped_runs < state.budgets.stopped_runs_to_charge &&
         std::ranges::none_of(state.slots, &Slot::proven) &&
         std::ranges::all_of(state.trials, fails);
}

}  // namespace

const std::string& host_of(const State& state, AgentId id) {
  static const std::string unknown;
  const auto agent = state.agents.find(id);
  return agent == state.agents.end() ? unknown : agent->second.host;
}

bool failed_at(const State& state, const Trial& trial, AgentId id) {
  const std::string& host = host_of(state, id);
  const auto here = [&](const Charge& charge) {
    return state.slots[charge.slot].agent == id || (!host.empty() && charge.host == host);
  };
  return std::ranges::any_of(trial.charges, here) ||
         (!host.empty() &&
          std::ranges::find(trial.earlier, host, &EarlierCharge::host) != trial.earlier.end());
}

int agents_failed(const State& state, const Trial& trial) {
  std::set<std::string> hosts;
  std::set<std::int64_t> agents;  // whose hosts are not known
  for (const EarlierCharge& charge : trial.earlier) hosts.insert(charge.host);
  for (const Charge& charge : trial.charges)
    if (charge.host.empty())
      agents.insert(state.slots[charge.slot].agent.value);
    else
      hosts.insert(charge.host);
  int failed = 0;
  for (const std::string& host : hosts) {
    const auto there = state.agents_in_service_on.find(host);
    if (!host.empty() && there != state.agents_in_service_on.end()) failed += there->second;
  }
  for (const std::int64_t id : agents) {
    const auto agent = state.agents.find(AgentId{id});
    failed += static_cast<int>(agent != state.agents.end() && agent->second.in_service > 0);
  }
  return failed;
}

void give_up(State& state, int index, FailureKind kind, Commands& out) {
  end_trial(state, index, TrialPhase::failed);
  out.push_back(TrialFailed{state.trials[index].id, kind});
}

std::optional<int> budget(const RetryBudgets& budgets, FailureKind kind) {
  switch (kind) {
    case FailureKind::nan:
    case FailureKind::spec:
    case FailureKind::cancelled:
      return 0;
    case FailureKind::oom:
      return budgets.oom;
    case FailureKind::cuda:
      return budgets.cuda;
    case FailureKind::hang:
      return budgets.hang;
    case FailureKind::crash:
      return budgets.crash;
    case FailureKind::data:
      return budgets.data;
    case FailureKind::node:
    case FailureKind::gang:
    case FailureKind::preempted:
      break;
  }
  return std::nullopt;
}

void stop_run(State& state, StopRun::Why why, Commands& out) {
  state.stopping = true;
  for (std::size_t index = 0; index < state.trials.size(); ++index) {
    Trial& trial = state.trials[index];
    if (trial.phase == TrialPhase::failed) continue;
    for (const Charge& charge : trial.charges)
      if (why == StopRun::Why::none_trained ||
          find(state.slots[charge.slot].streak, static_cast<int>(index)))
        forgive(state, static_cast<int>(index), charge, true, out);
    trial.charges.clear();
  }
  out.push_back(StopRun{why});
}

void clear_place(State& state, int index) {
  Slot& slot = state.slots[index];
  trainer_started(state, index);
  slot.proven = true;
  slot.resting = false;
  slot.streak = {};
  if (agent_known(state, index)) agent_streak(state, index) = {};
}

void acquit_trial(State& state, int index, int trial, Commands& out) {
  acquit_of_earlier(state, index, trial, out);
  const std::vector<Charge> charges = state.trials[trial].charges;
  for (const Charge& charge : charges) {
    if (charge.slot == index) continue;
    // Where something else did well since, the place is out of suspicion, and the charge stands.
    Streak& there = state.slots[charge.slot].streak;
    Entry* entry = find(there, trial);
    if (entry == nullptr || entry->acquitted) continue;
    entry->acquitted = true;
    if (agent_known(state, charge.slot) &&
        state.slots[charge.slot].agent != state.slots[index].agent)
      if (Entry* of_agent = find(agent_streak(state, charge.slot), trial))
        of_agent->acquitted = true;
    std::erase_if(state.trials[trial].charges,
                  [&](const Charge& one) { return one.attempt == charge.attempt; });
    forgive(state, trial, charge, false, out);
    drain_guilty(state, charge.slot, out);
  }
}

void judge_failure(State& state, int slot, int index, int attempt, const Failure& failure,
                   Commands& out) {
  Trial& trial = state.trials[index];
  const std::string& host = host_of(state, state.slots[slot].agent);
  trial.attempts = attempt;
  if (!failure.crowded.empty() && !trial.doomed) {  // one trial fewer there, and nobody is charged
    out.push_back(FailureForgiven{trial.id, attempt});
    make_pending(state, index);
    drain(state, slot, failure.crowded + " has too little memory for so many trials at a time",
          out);
    return;
  }
  const int failures = ++trial.failures[static_cast<std::size_t>(failure.kind)];
  const auto retries = budget(state.budgets, failure.kind);
  if (trial.doomed) return give_up(state, index, *trial.doomed, out);
  if (!may_be_machines(failure.kind)) {
    if (failure.kind == FailureKind::oom)
      trial.charges.push_back({slot, attempt, failure.kind, host});
    if (retries && failures > *retries) return give_up(state, index, failure.kind, out);
    make_pending(state, index);
    // What costs nothing must not go round without end either.
    if (!retries) rest_after(state, slot, failure.kind == FailureKind::node ? 2 : 1, out);
    return;
  }
  const Entry entry{.trial = index, .signature = failure.signature};
  clear_earlier_places(state, slot, index);
  trial.charges.push_back({slot, attempt, failure.kind, host});
  enter(state.slots[slot].streak, entry);
  if (agent_known(state, slot)) enter(agent_streak(state, slot), entry);
  readmit_drained(state, out);
  if (stop_if_all_fail(state, out)) return make_pending(state, index);
  if (failures <= *retries || is_in_doubt(state, trial, failures, *retries)) {
    make_pending(state, index);
  } else if (nothing_tells(state, trial)) {
    stop_run(state, StopRun::Why::none_trained, out);
    return make_pending(state, index);
  } else {
    give_up(state, index, failure.kind, out);
  }
  rest_after(state, slot, state.slots[slot].streak.failures, out);
  reindex(state, slot);
}

}  // namespace windrow::scheduler
