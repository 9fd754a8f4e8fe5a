#include "orchestrator/agent/slot_runner.h"

#include <csignal>
#include <filesystem>
#include <system_error>

#include "orchestrator/agent/trial_process.h"
#include "orchestrator/process/guard_pool.h"
#include "protocol/lines.h"
#include "protocol/printed_lines.h"
#include "protocol/text.h"

namespace windrow {

using namespace protocol;
namespace fs = std::filesystem;

namespace {

// Held by the guard while processes of an attempt live, by those of no other.
LockPlace lock_place(const Start& start) {
  if (start.checkpoint_dir.empty()) return {};
  return {fs::path(start.checkpoint_dir).parent_path() / ".windrow-locks",
          static_cast<int>(start.trial.value)};
}

}  // namespace

SlotRunner::SlotRunner(Host& host, SlotSettings settings, Now now, Send send, LogLine log)
    : host_(host),
      settings_(std::move(settings)),
      now_(std::move(now)),
      send_(std::move(send)),
      log_(std::move(log)),
      starter_(host.trainers()),
      trial_log_(host.trial_log()) {
  state_.settings = settings_.machine;
}

template <class Event>
void SlotRunner::handle(Event event) {
  event(actions_);
  if (carrying_out_) return;  // an action's own event: the loop below goes on with it
  carrying_out_ = true;
  for (std::size_t i = 0; i < actions_.size(); ++i) {
    slot::Action action = std::move(actions_[i]);
    carry_out(action);
  }
  actions_.clear();
  carrying_out_ = false;
}

void SlotRunner::carry_out(slot::Action& action) {
  if (const auto* start = std::get_if<slot::Spawn>(&action)) {
    spawn(start->attempt);
  } else if (std::holds_alternative<slot::TakeFolder>(action)) {
    if (process_ && process_->lock(lock_place(state_.attempt->start))) on_lock(LockState::held, "");
  } else if (std::holds_alternative<slot::LeaveFolder>(action)) {
    if (process_) process_->unlock();
  } else if (const auto* write = std::get_if<slot::Write>(&action)) {
    if (const auto* start = std::get_if<Start>(&write->message)) {
      if (trial_log_) trial_log_->begin(*start, settings_.where);
      if (meter_) meter_->begin();
    }
    if (process_) process_->write(to_line(write->message));
  } else if (std::holds_alternative<slot::CloseInput>(action)) {
    if (process_) process_->close_stdin();
  } else if (const auto* signal = std::get_if<slot::Signal>(&action)) {
    if (process_) process_->signal(signal->number);
  } else if (std::holds_alternative<slot::LetGo>(action)) {
    process_.reset();
  } else if (auto* report = std::get_if<slot::Report>(&action)) {
    if (auto* started = std::get_if<AttemptStarted>(&report->message)) started->program = program_;
    if (auto* finished = std::get_if<AttemptFinished>(&report->message)) finished->usage = usage();
    if (auto* failed = std::get_if<AttemptFailed>(&report->message)) failed->usage = usage();
    send_(std::move(report->message));
  } else if (const auto* log = std::get_if<slot::Log>(&action)) {
    if (trial_log_) trial_log_->add(log->text);
    log_(log->level, log->text);
  }
}

void SlotRunner::assign(Start start) {
  handle([&](slot::Actions& out) { slot::on_assign(state_, std::move(start), now_(), out); });
}

void SlotRunner::set_gang(const protocol::SetGang& gang) {
  handle([&](slot::Actions& out) { slot::on_gang(state_, gang, out); });
}

void SlotRunner::withdraw(TrialId trial, int attempt) {
  handle([&](slot::Actions& out) { slot::on_withdraw(state_, trial, attempt, out); });
}

void SlotRunner::cancel(TrialId trial, int attempt) {
  handle([&](slot::Actions& out) { slot::on_cancel(state_, trial, attempt, now_(), out); });
}

void SlotRunner::stop(bool at_once, std::optional<double> within_seconds) {
  handle([&](slot::Actions& out) { slot::on_stop(state_, at_once, within_seconds, now_(), out); });
}

void SlotRunner::shut_down() {
  handle([&](slot::Actions& out) { slot::on_shut_down(state_, now_(), out); });
}

void SlotRunner::abandon() {
  handle([&](slot::Actions& out) { slot::on_abandon(state_, out); });
}

void SlotRunner::tick() {
  if (trial_log_) trial_log_->flush();
  handle([&](slot::Actions& out) { slot::on_time(state_, now_(), out); });
}

// ---- the process

void SlotRunner::spawn(const std::optional<Start>& attempt) {
  ChildCommand command{settings_.machine.trainer.command, settings_.environment};
  if (settings_.program) program_ = settings_.program();
  try {
    if (attempt) {
      if (trial_log_) trial_log_->begin(*attempt, settings_.where);
      if (!attempt->checkpoint_dir.empty()) host_.make_folder(attempt->checkpoint_dir);
      found_checkpoints_ =
          !attempt->checkpoint_dir.empty() && host_.holds_files(attempt->checkpoint_dir);
      if (const int members = settings_.machine.trainer.gang; members > 1)
        command.argv.insert(command.argv.begin(),
                            {find_gang_launcher().string(), std::to_string(members)});
      add_trial(command, *attempt, settings_.machine.trainer.arguments, found_checkpoints_);
      command.lock = lock_place(*attempt);
    }
    process_ = starter_->start(
        command,
        ChildEvents{
            .on_stdout = [this](std::string_view line) { on_line(line); },
            .on_stderr = [this](std::string_view line) { on_text(line); },
            .on_started = [this] { on_started(); },
            .on_lock = [this](LockState lock, const std::string& detail) { on_lock(lock, detail); },
            .on_output = [this] { slot::on_output(state_, now_()); },
            .on_stdout_closed = [this] { slot::on_output_closed(state_, now_()); },
            .on_line_too_long = [this] { on_line_too_long(); },
            .on_ended = [this] { on_ended(); }});
    if (attempt) process_->close_stdin();
  } catch (const std::system_error& error) {
    const std::string why = error.what();
    handle([&](slot::Actions& out) { slot::on_spawn_failed(state_, why, now_(), out); });
  }
}

std::optional<Usage> SlotRunner::usage() {
  if (usage_at_end_) return meter_ ? meter_->since_begin(*usage_at_end_) : usage_at_end_;
  return meter_ ? std::optional(meter_->since_begin()) : std::nullopt;
}

void SlotRunner::on_started() {
  if (settings_.machine.trainer.persistent && process_->pid() > 0) meter_.emplace(process_->pid());
  handle([&](slot::Actions& out) { slot::on_spawned(state_, found_checkpoints_, now_(), out); });
}

// The processes of an attempt before this one may live still: of a rank that was taken for dead, or
// of a windrow that was killed.
void SlotRunner::on_lock(LockState lock, const std::string& detail) {
  if (lock == LockState::waiting) {
    handle([&](slot::Actions& out) { slot::on_folder_busy(state_, detail, now_(), out); });
    return;
  }
  if (!state_.attempt) return;
  const std::string& folder = state_.attempt->start.checkpoint_dir;
  if (lock == LockState::impossible && !std::exchange(told_no_locks_, true))
    log_("warning", "no locks in " + fs::path(folder).parent_path().string() + " (" + detail +
                        "): nothing keeps an attempt from beginning before all processes of the "
                        "one before it are gone");
  if (!settings_.machine.trainer.persistent) return;  // on_started() follows
  // Before the first attempt the folder, which is this database's own, can hold nothing.
  const bool found = state_.attempt->start.attempt > 1 && host_.holds_files(folder);
  handle([&](slot::Actions& out) { slot::on_folder_taken(state_, found, now_(), out); });
}

void SlotRunner::on_ended() {
  const auto exit = process_->poll_exit();
  if (!exit) return;
  const std::unique_ptr<TrainerProcess> gone = std::move(process_);
  usage_at_end_ = exit->usage;
  const bool ran_out = exit->code != 0 && host_.memory_ran_out();
  handle([&](slot::Actions& out) {
    if (exit->too_long)
      slot::on_spawn_failed(state_,
                            exit->fault +
                                ": its parameters take more than a program can be given (some 128 "
                                "KiB); put long values into files, and sweep over their names",
                            now_(), out, FailureKind::spec);
    else if (!exit->fault.empty() && !exit->signal)
      slot::on_spawn_failed(state_, exit->fault, now_(), out);
    else
      slot::on_exit(state_,
                    {exit->code, exit->signal, exit->describe(), gone->stderr_tail(), ran_out,
                     ran_out ? host_.memory_limit() : 0},
                    now_(), out);
  });
  usage_at_end_.reset();
  if (!process_) meter_.reset();
}

void SlotRunner::on_line_too_long() {
  const std::string why =
      "a line of more than " + std::to_string(TrainerProcess::kLongestLine >> 20) + " MiB";
  handle([&](slot::Actions& out) {
    if (settings_.machine.trainer.persistent)
      slot::on_broken_protocol(state_, why, now_(), out);
    else
      slot::on_unread_line(state_, why, out);
  });
}

// ---- what it says

void SlotRunner::on_line(std::string_view line) {
  if (!settings_.machine.trainer.persistent) {
    on_printed_line(line);
    return;
  }
  try {
    if (auto message = parse_from_trainer(line))
      handle(
          [&](slot::Actions& out) { slot::on_message(state_, std::move(*message), now_(), out); });
    else
      on_text(line);
  } catch (const ProtocolError& error) {
    const std::string why = std::string(error.what()) + " in " + quote(line);
    log_("warning", "the trainer sent a message that can't be read: " + why);
    handle([&](slot::Actions& out) { slot::on_broken_protocol(state_, why, now_(), out); });
  }
}

void SlotRunner::on_text(std::string_view line) {
  if (trial_log_) trial_log_->add(line);
  log_("debug", std::string(line));
}

void SlotRunner::on_printed_line(std::string_view line) {
  if (trial_log_) trial_log_->add(line);
  PrintedLine printed = parse_printed_line(line);
  handle([&](slot::Actions& out) {
    if (auto* epoch = std::get_if<PrintedEpoch>(&printed)) {
      if (!epoch->left_out.empty()) slot::on_unread_line(state_, epoch->left_out, out);
      slot::on_printed_epoch(state_, std::move(epoch->epoch), now_(), out);
    } else if (auto* result = std::get_if<PrintedResult>(&printed)) {
      if (!result->left_out.empty()) slot::on_unread_line(state_, result->left_out, out);
      slot::on_printed_result(state_, std::move(result->result), now_(), out);
    } else if (const auto* unread = std::get_if<UnreadLine>(&printed)) {
      slot::on_unread_line(state_, unread->why, out);
    } else if (const auto* refused = std::get_if<RefusedLine>(&printed)) {
      slot::on_refused_line(state_, refused->why, now_(), out);
    } else {
      slot::on_printed_text(state_);
      log_("debug", std::string(line));
    }
  });
}

}  // namespace windrow
