#include "orchestrator/scheduler/simulated_cluster.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace windrow::scheduler {

namespace {
constexpr double kNever = std::numeric_limits<double>::infinity();
}

SimulatedCluster::SimulatedCluster(const SimulationOptions& options, SimulatedEvents& events,
                                   SimulationResult& result)
    : options_(options), events_(events), result_(result), random_(options.seed) {
  if (options.agent_loss_seconds > 0)
    events_.at(random_.exponential(options.agent_loss_seconds), {.kind = Event::Kind::die});
}

void SimulatedCluster::add_trial(const TrialSpec& spec) {
  const int epochs = std::max(spec.epochs, 1);
  double seconds = spec.declared_cost / epochs;
  if (options_.epoch_seconds)
    seconds = options_.epoch_seconds(spec);
  else if (spec.epoch_seconds > 0)
    seconds = spec.epoch_seconds;
  const Takes takes = options_.takes    ? options_.takes(spec)
                      : spec.widest > 1 ? Takes::members
                                        : Takes::nothing;
  trials_[spec.trial] = {spec, seconds, epochs, takes};
}

AgentId SimulatedCluster::add_agent() {
  const AgentId id{static_cast<std::int64_t>(agents_.size())};
  Agent agent;
  for (int i = 0; i < options_.slots_per_agent; ++i) {
    agent.slots.push_back({static_cast<std::int64_t>(slots_.size())});
    slots_.push_back({.agent = id});
  }
  result_.busy_seconds.resize(slots_.size());
  agents_.push_back(std::move(agent));
  return id;
}

const std::vector<SlotId>& SimulatedCluster::slots_of(AgentId agent) const {
  return agents_[agent.value].slots;
}

// ---- messages

double SimulatedCluster::delay() {
  return options_.message_seconds == 0 ? 0 : options_.message_seconds * (0.5 + random_.uniform());
}

void SimulatedCluster::send_to_agent(Event event) {
  Agent& agent = agents_[slots_[event.slot.value].agent.value];
  agent.last_in = std::max(agent.last_in, events_.now() + delay());
  events_.at(agent.last_in, event);
}

void SimulatedCluster::send(const AssignTrial& assign, int durable_epochs) {
  send_to_agent({.kind = Event::Kind::assign,
                 .slot = assign.slot,
                 .trial = assign.trial,
                 .attempt = assign.attempt,
                 .epoch = durable_epochs});
}

void SimulatedCluster::send(const WithdrawTrial& withdraw) {
  send_to_agent({.kind = Event::Kind::withdraw,
                 .slot = withdraw.slot,
                 .trial = withdraw.trial,
                 .attempt = withdraw.attempt});
}

void SimulatedCluster::send(const LendSlot& lend) {
  helpers_[lend.number] = {lend.slot, lend.trial, lend.attempt, lend.lead, events_.now()};
  send_to_agent({.kind = Event::Kind::lend,
                 .slot = lend.slot,
                 .trial = lend.trial,
                 .attempt = lend.attempt,
                 .helper = lend.number});
}

void SimulatedCluster::send(const SetHelpers& helpers) {
  lists_.push_back(helpers);
  send_to_agent({.kind = Event::Kind::helpers,
                 .slot = helpers.lead,
                 .trial = helpers.trial,
                 .attempt = helpers.attempt,
                 .list = static_cast<int>(lists_.size()) - 1});
}

void SimulatedCluster::send_stop() {
  for (const Agent& agent : agents_)
    for (const SlotId slot : agent.slots) send_to_agent({.kind = Event::Kind::stop, .slot = slot});
}

void SimulatedCluster::report(Event::Kind kind, SlotId slot, const Attempt& attempt, double seconds,
                              FailureKind failure) {
  Agent& agent = agents_[slots_[slot.value].agent.value];
  agent.last_out = std::max(agent.last_out, events_.now() + delay());
  events_.at(agent.last_out,
             {.kind = kind,
              .slot = slot,
              .trial = attempt.trial,
              .attempt = attempt.number,
              .epoch = attempt.epochs_done,
              .seconds = seconds,
              .members = 1 + attempt.lent + static_cast<int>(attempt.members.size()),
              .failure = failure});
}

// ---- what a slot does

void SimulatedCluster::handle(const Event& event) {
  if (event.kind == Event::Kind::die) return die();
  Slot& slot = slots_[event.slot.value];
  if (!agents_[slot.agent.value].alive) return;
  const bool is_current =
      slot.current && slot.current->trial == event.trial && slot.current->number == event.attempt;
  switch (event.kind) {
    case Event::Kind::assign:
      slot.queue.push_back(
          {.trial = event.trial, .number = event.attempt, .epochs_done = event.epoch});
      if (slot.stopping)
        on_stop(event.slot);
      else
        begin_next(event.slot);
      break;
    case Event::Kind::withdraw:
      on_withdraw(event);
      break;
    case Event::Kind::stop:
      on_stop(event.slot);
      break;
    case Event::Kind::step:
      if (is_current && slot.current->next_step == events_.now()) step(event);
      break;
    case Event::Kind::lend:
      events_.at(events_.now() + options_.start_seconds,
                 {.kind = Event::Kind::here, .slot = event.slot, .helper = event.helper});
      break;
    case Event::Kind::here:
      if (const auto found = helpers_.find(event.helper); found != helpers_.end()) {
        found->second.here = true;
        if (!leads(found->second) || slot.stopping) send_home(event.helper);
      }
      break;
    case Event::Kind::helpers:
      if (is_current) {
        const SetHelpers& list = lists_[static_cast<std::size_t>(event.list)];
        slot.current->lent = static_cast<int>(list.lent.size());
        slot.current->wanted = list.numbers;
      }
      break;
    default:
      break;
  }
}

void SimulatedCluster::on_withdraw(const Event& event) {
  auto& queue = slots_[event.slot.value].queue;
  const auto found = std::find_if(queue.begin(), queue.end(), [&](const Attempt& attempt) {
    return attempt.trial == event.trial && attempt.number == event.attempt;
  });
  if (found == queue.end()) return;
  report(Event::Kind::withdrawn, event.slot, *found);
  queue.erase(found);
}

void SimulatedCluster::on_stop(SlotId id) {
  Slot& slot = slots_[id.value];
  slot.stopping = true;
  for (const Attempt& attempt : slot.queue) report(Event::Kind::withdrawn, id, attempt);
  slot.queue.clear();
}

void SimulatedCluster::begin_next(SlotId id) {
  Slot& slot = slots_[id.value];
  if (slot.current || slot.queue.empty()) return;
  Attempt attempt = slot.queue.front();
  slot.queue.pop_front();
  ++result_.attempts;
  attempt.began = events_.now();
  attempt.fails_at = kNever;
  const auto failure = options_.failure
                           ? options_.failure(id, attempt.trial, attempt.number, random_)
                           : std::nullopt;
  if (failure) {
    const SimulatedTrial& trial = trials_.at(attempt.trial);
    const int epochs = std::max(trial.epochs - attempt.epochs_done, 1);
    attempt.failure = *failure;
    attempt.fails_at =
        events_.now() + random_.uniform() * (options_.start_seconds + epochs * trial.epoch_seconds);
  }
  slot.current = attempt;
  await_step(id);
}

// The attempt's next event is its start, the end of an epoch, its finish, or its failure.
void SimulatedCluster::await_step(SlotId id) {
  const Attempt& attempt = *slots_[id.value].current;
  const SimulatedTrial& trial = trials_.at(attempt.trial);
  double time = events_.now();
  if (!attempt.started)
    time += options_.start_seconds;
  else if (attempt.epochs_done < trial.epochs)
    time += trial.epoch_seconds /
            speed(trial, 1 + attempt.lent + static_cast<int>(attempt.members.size()));
  double seen = std::min(time, attempt.fails_at);
  if (attempt.fails_at <= time && attempt.failure == FailureKind::hang)
    seen += options_.hang_seconds;
  slots_[id.value].current->next_step = seen;
  events_.at(
      seen,
      {.kind = Event::Kind::step, .slot = id, .trial = attempt.trial, .attempt = attempt.number});
}

void SimulatedCluster::step(const Event& event) {
  const SlotId id = event.slot;
  Slot& slot = slots_[id.value];
  Attempt& attempt = *slot.current;
  const int epochs = trials_.at(attempt.trial).epochs;
  if (events_.now() >= attempt.fails_at) {
    report(Event::Kind::failed, id, attempt, 0, attempt.failure);
    return end_attempt(id);
  }
  if (!attempt.started) {
    attempt.started = true;
    report(Event::Kind::started, id, attempt);
  } else if (attempt.epochs_done < epochs) {
    ++attempt.epochs_done;
    report(Event::Kind::epoch, id, attempt, events_.now() - attempt.epoch_began);
  }
  attempt.epoch_began = events_.now();
  if (attempt.epochs_done >= epochs) {
    report(Event::Kind::finished, id, attempt);
    return end_attempt(id);
  }
  if (slot.stopping) {
    report(Event::Kind::failed, id, attempt, 0, FailureKind::preempted);
    return end_attempt(id);
  }
  form_gang(id);
  await_step(id);
}

void SimulatedCluster::end_attempt(SlotId id) {
  Slot& slot = slots_[id.value];
  result_.busy_seconds[id.value] += events_.now() - slot.current->began;
  slot.current.reset();
  std::vector<int> left;
  for (const auto& [number, helper] : helpers_)
    if (helper.here && helper.lead == id && !leads(helper)) left.push_back(number);
  for (const int number : left) send_home(number);
  begin_next(id);
}

// ---- gangs

// Of those that are wanted and there; the others of its members, and what was taken back, go.
void SimulatedCluster::form_gang(SlotId id) {
  Attempt& attempt = *slots_[id.value].current;
  SimulatedTrial& trial = trials_.at(attempt.trial);
  std::vector<int> leaving;
  attempt.members.clear();
  for (const auto& [number, helper] : helpers_) {
    if (helper.lead != id || !helper.here || !leads(helper)) continue;
    const bool wanted = std::ranges::find(attempt.wanted, number) != attempt.wanted.end();
    if (!wanted || slots_[helper.slot.value].stopping)
      leaving.push_back(number);
    else
      attempt.members.push_back(number);
  }
  for (const int number : leaving) send_home(number);
  const int members = 1 + attempt.lent + static_cast<int>(attempt.members.size());
  result_.widest = std::max(result_.widest, members);
  if (members > 1 && !std::exchange(trial.widened, true)) ++result_.widened;
}

double SimulatedCluster::speed(const SimulatedTrial& trial, int members) const {
  if (members <= 1) return 1;
  if (options_.speed) return options_.speed(trial.spec, members);
  double speed = 1;
  for (const auto& [width, seconds] : trial.spec.gang_epoch_seconds)
    if (width <= members && seconds > 0) speed = trial.epoch_seconds / seconds;
  return speed;
}

bool SimulatedCluster::leads(const Helper& helper) const {
  const Slot& slot = slots_[helper.lead.value];
  return agents_[slot.agent.value].alive && slot.current && slot.current->trial == helper.trial &&
         slot.current->number == helper.attempt;
}

void SimulatedCluster::send_home(int number) {
  const Helper helper = helpers_.extract(number).mapped();
  result_.busy_seconds[helper.slot.value] += events_.now() - helper.began;
  report(Event::Kind::helped, helper.slot, {.trial = helper.trial, .number = helper.attempt});
}

// ---- deaths

// Helpers of the dead agent's attempts go home; of helpers that died, the gang's attempt fails.
void SimulatedCluster::lose_helpers(std::size_t dying) {
  const auto is_dying = [&](SlotId slot) {
    return slots_[slot.value].agent.value == static_cast<std::int64_t>(dying);
  };
  std::vector<int> bereaved, dead;
  for (const auto& [number, helper] : helpers_) {
    if (is_dying(helper.slot))
      dead.push_back(number);
    else if (is_dying(helper.lead) && helper.here)
      bereaved.push_back(number);
  }
  for (const int number : bereaved) send_home(number);
  for (const int number : dead) {
    const Helper helper = helpers_.extract(number).mapped();
    result_.busy_seconds[helper.slot.value] += events_.now() - helper.began;
    if (!leads(helper)) continue;
    Attempt& attempt = *slots_[helper.lead.value].current;
    if (std::ranges::find(attempt.members, number) == attempt.members.end()) continue;
    attempt.failure = FailureKind::gang;
    attempt.fails_at = attempt.next_step = events_.now();
    events_.at(events_.now(), {.kind = Event::Kind::step,
                               .slot = helper.lead,
                               .trial = attempt.trial,
                               .attempt = attempt.number});
  }
}

void SimulatedCluster::die() {
  std::vector<std::size_t> alive;
  for (std::size_t i = 0; i < agents_.size(); ++i)
    if (agents_[i].alive) alive.push_back(i);
  const double now = events_.now();
  events_.at(now + random_.exponential(options_.agent_loss_seconds), {.kind = Event::Kind::die});
  if (alive.empty()) return;
  const std::size_t dying = alive[random_.below(alive.size())];
  agents_[dying].alive = false;
  for (const SlotId slot : agents_[dying].slots)
    if (const auto& attempt = slots_[slot.value].current)
      result_.busy_seconds[slot.value] += now - attempt->began;
  lose_helpers(dying);
  // Its last messages may come before or after the loss is noticed.
  events_.at(now + 2 * delay(),
             {.kind = Event::Kind::lost, .agent = {static_cast<std::int64_t>(dying)}});
  events_.at(now + options_.rejoin_seconds * (0.5 + random_.uniform()),
             {.kind = Event::Kind::joined});
}

}  // namespace windrow::scheduler
