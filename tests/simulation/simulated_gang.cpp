// Processes that train one trial together: the lead, which has the attempt, and its helpers, which
// come and go between epochs. As windrow-trainer does it, over a store at the lead.
#include <algorithm>
#include <utility>

#include "protocol/lines.h"
#include "tests/simulation/simulated_process.h"

namespace windrow::simulation {

using namespace protocol;

namespace {

bool contains(const std::vector<int>& numbers, int number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

}  // namespace

// ---- the lead

int SimulatedProcess::open_gang() {
  if (attempt_->widest <= 1) return 0;
  const int port = 10000 + number_;
  attempt_->place = machine_.name + ":" + std::to_string(port);
  cluster_.leads[attempt_->place] = weak_from_this();
  return port;
}

void SimulatedProcess::set_gang(const SetGang& gang) {
  if (!attempt_ || attempt_->trial != gang.trial || attempt_->attempt != gang.attempt) return;
  for (const int helper : attempt_->wanted)
    if (!contains(gang.helpers, helper)) attempt_->released.push_back(helper);
  attempt_->wanted = gang.helpers;
  attempt_->lent_slots = gang.lent_slots;
}

void SimulatedProcess::let_go_of_helper(int number) {
  const auto found = attempt_->here.find(number);
  if (found == attempt_->here.end()) return;
  if (const auto helper = found->second.lock()) helper->end_help();
  attempt_->here.erase(found);
}

// Between two epochs: who is wanted and has come takes part in the next one.
void SimulatedProcess::settle_gang() {
  const auto before = attempt_->members;
  attempt_->members.clear();
  for (const int helper : attempt_->released) let_go_of_helper(helper);
  for (const int number : attempt_->wanted) {
    if (static_cast<int>(attempt_->members.size()) + 1 >= attempt_->widest) break;
    const auto found = attempt_->here.find(number);
    if (found == attempt_->here.end()) continue;
    const auto helper = found->second.lock();
    if (helper && helper->help_ && helper->help_->leaving) {
      let_go_of_helper(number);
    } else if (helper && helper->help_) {
      helper->help_->in_epoch = true;
      attempt_->members.push_back(number);
    }
  }
  for (const int number : before)
    if (!contains(attempt_->members, number)) let_go_of_helper(number);
  if (!attempt_->members.empty() && attempt_->members != before)
    cluster_.world.say(name(), "trains with " + std::to_string(attempt_->members.size()) + " more");
}

int SimulatedProcess::end_together() {
  for (const int number : attempt_->members)
    if (const auto helper = attempt_->here[number].lock(); helper && helper->help_)
      helper->help_->in_epoch = false;
  return 1 + static_cast<int>(attempt_->members.size()) + attempt_->lent_slots;
}

void SimulatedProcess::break_gang() {
  cluster_.world.say(name(), "has lost a member of its gang");
  after(cluster_.world.random().between(0.0, 2.0), &SimulatedProcess::fail_together);
}

void SimulatedProcess::fail_together() {
  line(to_line(FromTrainer{Failed{attempt_->trial, attempt_->attempt, TrainerFailure::gang,
                                  "a member of the gang is lost"}}));
  stop_training();
  state_ = State::idle;
}

void SimulatedProcess::dismiss_gang() {
  if (!attempt_->place.empty()) cluster_.leads.erase(attempt_->place);
  for (const auto& [number, each] : std::exchange(attempt_->here, {})) {
    const auto helper = each.lock();
    if (!helper || !helper->help_) continue;
    if (helper->help_->in_epoch)
      helper->after(cluster_.world.random().between(0.0, 2.0), &SimulatedProcess::lose_lead);
    else
      helper->end_help();
  }
}

// ---- a helper

void SimulatedProcess::help(const Start& start) {
  state_ = State::helping;
  const std::string& store = start.helping->store;
  const std::string own = "127.0.0.1:";
  const auto lead = cluster_.leads.find(
      store.starts_with(own) ? machine_.name + ":" + store.substr(own.size()) : store);
  help_ = Help{.trial = start.trial,
               .attempt = start.attempt,
               .number = start.helping->number,
               .lead = lead == cluster_.leads.end() ? Helper{} : lead->second};
  cluster_.world.say(name(), "begins");
  stay_heard();
  after(cluster_.world.random().between(0.05, 1.0), &SimulatedProcess::come);
}

void SimulatedProcess::come() {
  if (cluster_.world.now() < machine_.broken_until &&
      (machine_.broken_slot < 0 || machine_.broken_slot == slot_))
    return die({.code = 1});
  const auto lead = help_->lead.lock();
  if (!lead || !lead->attempt_ || lead->attempt_->trial != help_->trial ||
      lead->attempt_->attempt != help_->attempt)
    return lose_lead();
  line(to_line(FromTrainer{Started{.trial = help_->trial, .attempt = help_->attempt}}));
  lead->attempt_->here[help_->number] = weak_from_this();
}

// While it waits it says that it lives.
void SimulatedProcess::stay_heard() {
  cluster_.world.after(1, [self = shared_from_this(), number = help_->number,
                           attempt = help_->attempt, trial = help_->trial] {
    const auto& help = self->help_;
    if (!help || help->number != number || help->attempt != attempt || help->trial != trial) return;
    if (!self->wedged_) self->line(to_line(FromTrainer{Heartbeat{trial, attempt}}));
    self->stay_heard();
  });
}

void SimulatedProcess::end_help() {
  if (state_ != State::helping || wedged_) return;
  line(to_line(FromTrainer{Stopped{help_->trial, help_->attempt}}));
  help_.reset();
  state_ = State::idle;
}

void SimulatedProcess::lose_lead() {
  if (state_ != State::helping) return;
  line(to_line(FromTrainer{
      Failed{help_->trial, help_->attempt, TrainerFailure::gang, "the lead can't be reached"}}));
  help_.reset();
  state_ = State::idle;
}

// It has died: those with whom it trains can't go on.
void SimulatedProcess::leave_gang() {
  if (attempt_) dismiss_gang();
  if (!help_) return;
  const auto lead = help_->lead.lock();
  if (help_->in_epoch && lead && lead->trains_together()) lead->break_gang();
  help_.reset();
}

}  // namespace windrow::simulation
