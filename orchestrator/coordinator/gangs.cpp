// Gangs: slots that are lent to a trial that another slot leads.
#include <algorithm>
#include <utility>

#include "orchestrator/coordinator/coordinator.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow {

using namespace protocol;

// As many as its batches have shards. Programs of the user's own lead no gangs.
int Coordinator::widest_gang(TrialId id) {
  const bool on = options_.gangs.automatic || options_.gangs.members > 1;
  if (!on || !study_.trainer.command.empty()) return 1;
  return sweeps::declared_shards(progress_.cell(progress_.trial(id)).parameters);
}

// The lead's store is at a port of its host.
void Coordinator::lend(const scheduler::LendSlot& command) {
  Start start = make_start(command.trial, command.attempt);
  const bool same_host = agent_of(command.slot).host == agent_of(command.lead).host;
  const std::string host = same_host ? "127.0.0.1" : agent_of(command.lead).host;
  start.helping =
      Helping{host + ":" + std::to_string(slot(command.lead).gang_port), command.number};
  start.checkpoint_dir.clear();
  start.watched_history.clear();
  slot(command.slot).helps = command.trial;
  time_.lent(command.slot, seconds());
  send_(slot(command.slot).agent, Assign{command.slot, std::move(start)});
}

void Coordinator::set_helpers(const scheduler::SetHelpers& command) {
  SetGang gang{command.trial, command.attempt, command.numbers,
               static_cast<int>(command.lent.size())};
  for (const SlotId lent : command.lent) gang.lent_threads += slot(lent).threads;
  for (const SlotId lent : std::exchange(slot(command.lead).lent, command.lent))
    if (std::ranges::find(command.lent, lent) == command.lent.end())
      time_.returned(lent, seconds());
  for (const SlotId lent : command.lent) time_.lent(lent, seconds());
  send_(slot(command.lead).agent, SetSlotGang{command.lead, std::move(gang)});
}

// The threads that its attempt was lent are free.
void Coordinator::end_attempt(SlotId id, TimeAccount::End how) {
  for (const SlotId lent : std::exchange(slot(id).lent, {})) time_.returned(lent, seconds());
  time_.ended(id, how, seconds());
}

// A helper that lost its lead, or was stopped, did nothing wrong.
void Coordinator::on_helper_over(SlotId id, TrialId trial, int attempt,
                                 const AttemptFailed* failed) {
  slot(id).helps.reset();
  time_.returned(id, seconds());
  const bool at_fault =
      failed && failed->kind != FailureKind::gang && failed->kind != FailureKind::preempted;
  if (at_fault) {
    const std::string text = "slot " + std::to_string(id.value) + " on " + agent_of(id).host +
                             ", which helped " + name_trial(trial) + ", failed (" +
                             std::string(to_string(failed->kind)) + "): " + failed->message;
    log_("warning", text);
    store_.record(storage::Event{"helper failed", text});
  }
  scheduler::on_helper_over(scheduler_, id, trial, attempt, at_fault, commands_);
}

}  // namespace windrow
