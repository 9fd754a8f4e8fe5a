#include "orchestrator/agent/slot_runner.h"

#include <csignal>
#include <filesystem>
#include <system_error>

#include "protocol/lines.h"

namespace windrow {

using namespace protocol;
using std::chrono::duration;
using std::chrono::seconds;

namespace {

constexpr seconds kTerminateGrace{30};  // between SIGTERM and SIGKILL

double seconds_since(Clock::time_point begin, Clock::time_point now = Clock::now()) {
  return duration<double>(now - begin).count();
}

// A parameter as a command line argument: strings without quotes, the rest as JSON.
std::string argument_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Held by the guard while processes of an attempt live.
LockPlace lock_place(const Start& start) {
  if (start.checkpoint_dir.empty()) return {};
  const std::filesystem::path folder = std::filesystem::path(start.checkpoint_dir).parent_path();
  return {folder / ".windrow-locks", start.trial.value};
}

}  // namespace

SlotRunner::SlotRunner(EventLoop& loop, SlotSettings settings, Send send, LogLine log)
    : guards_(loop, settings.open_files),
      settings_(std::move(settings)),
      send_(std::move(send)),
      log_(std::move(log)) {}

void SlotRunner::assign(Start start) {
  if (stopping_) {
    send_(Withdrawn{settings_.slot, start.trial, start.attempt});
    return;
  }
  queue_.push_back(std::move(start));
  begin_next();
}

void SlotRunner::withdraw(TrialId trial, int attempt) {
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    if (it->trial != trial || it->attempt != attempt) continue;
    queue_.erase(it);
    send_(Withdrawn{settings_.slot, trial, attempt});
    return;
  }
}

void SlotRunner::stop(bool now) {
  stopping_ = true;
  while (!queue_.empty()) {
    const Start start = std::move(queue_.front());
    queue_.pop_front();
    send_(Withdrawn{settings_.slot, start.trial, start.attempt});
  }
  if (!current_) return;
  if (now) {
    end_attempt(FailureKind::preempted, "stopped at once", SIGKILL);
  } else if (settings_.trainer.persistent) {
    process_->write(to_line(ToTrainer{Stop{current_->start.trial, current_->start.attempt}}));
  } else {
    end_attempt(FailureKind::preempted, "stopped by SIGTERM", SIGTERM);
  }
}

// ---- beginning

void SlotRunner::begin_next() {
  if (current_ || queue_.empty() || stopping_ || doomed_) return;
  const Start& next = queue_.front();
  if (next.attempt == 1 && !next.checkpoint_dir.empty()) {
    std::error_code ignored;  // left by a trial of another database
    std::filesystem::remove_all(next.checkpoint_dir, ignored);
  }
  if (settings_.trainer.persistent)
    begin_persistent();
  else
    begin_process();
}

void SlotRunner::spawn(const std::vector<std::string>& extra_arguments,
                       std::vector<std::pair<std::string, std::string>> extra_environment,
                       const LockPlace& lock) {
  ChildCommand command{settings_.trainer.command, settings_.environment, lock};
  command.argv.insert(command.argv.end(), extra_arguments.begin(), extra_arguments.end());
  command.environment.insert(command.environment.end(), extra_environment.begin(),
                             extra_environment.end());
  ready_ = false;
  kill_at_.reset();
  spawned_ = Clock::now();
  process_ = std::make_unique<ChildProcess>(
      guards_, command,
      ChildEvents{
          .on_stdout = [this](std::string_view line) { on_line(line); },
          .on_stderr = [this](std::string_view line) { log_("debug", std::string(line)); },
          .on_started = [this] { on_started(); },
          .on_lock = [this](LockState state, const std::string& why) { on_lock(state, why); },
          .on_output = [this] { on_life(); },
          .on_line_too_long = [this] { on_line_too_long(); },
          .on_ended = [this] { on_child_exited(); }});
}

void SlotRunner::take_front() {
  const auto now = Clock::now();
  current_ = Current{
      .start = std::move(queue_.front()), .began = now, .last_message = now, .last_epoch = now};
  queue_.pop_front();
}

void SlotRunner::begin_persistent() {
  if (!process_) {
    try {
      spawn({}, {}, {});
    } catch (const std::system_error& error) {
      fail_front(error.what(), nullptr, "");
    }
    return;
  }
  if (!ready_) return;
  take_front();
  if (current_->start.checkpoint_dir.empty())
    tell_start();
  else
    process_->lock(lock_place(current_->start));
}

void SlotRunner::tell_start() {
  current_->waits_for_lock = false;
  current_->began = current_->last_message = current_->last_epoch = Clock::now();
  if (settings_.trainer.persistent)
    process_->write(to_line(ToTrainer{current_->start}));
  else
    report_started({.trial = current_->start.trial, .attempt = current_->start.attempt});
}

// The processes of an attempt before this one may live still: of a rank that was taken for dead, or
// of a windrow that was killed. The attempt begins when they are gone.
void SlotRunner::on_lock(LockState state, const std::string& detail) {
  if (!current_) return;
  const std::string trial = "trial " + std::to_string(current_->start.trial.value);
  if (state == LockState::waiting) {
    current_->waits_for_lock = true;
    log_("warning", trial + " waits for the processes of an earlier attempt" +
                        (detail.empty() ? "" : " (" + detail + ")"));
    return;
  }
  if (state == LockState::impossible && !std::exchange(told_no_locks_, true))
    log_("warning", "no locks in " + current_->start.checkpoint_dir + " (" + detail +
                        "): nothing keeps an attempt from beginning before all processes of the "
                        "one before it are gone");
  if (settings_.trainer.persistent && !current_->ending) tell_start();
}

void SlotRunner::on_started() {
  if (!settings_.trainer.persistent && current_) tell_start();
}

void SlotRunner::on_life() {
  if (current_) current_->last_message = Clock::now();
}

void SlotRunner::on_line_too_long() {
  const std::string what = "the trainer printed a line of more than " +
                           std::to_string(ChildProcess::kLongestLine >> 20) + " MiB";
  if (!settings_.trainer.persistent)
    log_("warning", what + "; it is dropped");
  else if (current_)
    end_attempt(FailureKind::crash, "the trainer broke the line protocol: " + what, SIGKILL);
  else if (!ready_)
    give_up_start(what + " before it was ready");
}

void SlotRunner::begin_process() {
  const Start& start = queue_.front();
  std::vector<std::string> arguments;
  for (const auto& [name, value] : start.parameters.items()) {
    arguments.push_back("--" + name);
    arguments.push_back(argument_text(value));
  }
  std::vector<std::pair<std::string, std::string>> environment = {
      {"WINDROW_PARAMETERS", start.parameters.dump()},
      {"WINDROW_SEED", std::to_string(start.seed)},
      {"WINDROW_TRIAL", std::to_string(start.trial.value)},
      {"WINDROW_ATTEMPT", std::to_string(start.attempt)},
      {"WINDROW_CHECKPOINT_DIR", start.checkpoint_dir},
      {"WINDROW_RESUME", std::to_string(start.committed_epochs)}};
  if (start.early_stopping)
    environment.emplace_back("WINDROW_EARLY_STOPPING", to_json(*start.early_stopping).dump());
  try {
    if (!start.checkpoint_dir.empty()) std::filesystem::create_directories(start.checkpoint_dir);
    spawn(arguments, std::move(environment), lock_place(start));
  } catch (const std::system_error& error) {
    fail_front(error.what(), nullptr, "");
    return;
  }
  take_front();
  process_->close_stdin();
  if (current_->start.early_stopping)
    current_->early_stopping.emplace(*current_->start.early_stopping);
}

// ---- what the trainer says

void SlotRunner::on_line(std::string_view line) {
  if (settings_.trainer.persistent)
    on_persistent_line(line);
  else
    on_process_line(line);
}

void SlotRunner::on_persistent_line(std::string_view line) {
  try {
    if (auto event = parse_from_trainer(line))
      on_event(std::move(*event));
    else
      log_("debug", std::string(line));
  } catch (const ProtocolError& error) {
    log_("warning", std::string("the trainer sent a message that can't be read: ") + error.what());
    if (current_)
      end_attempt(FailureKind::crash,
                  std::string("the trainer broke the line protocol: ") + error.what(), SIGKILL);
    else if (!ready_)
      give_up_start(std::string("the trainer broke the line protocol before it was ready: ") +
                    error.what());
  }
}

void SlotRunner::on_event(FromTrainer event) {
  if (auto* ready = std::get_if<Ready>(&event)) {
    ready_ = true;
    send_(TrainerReady{settings_.slot, std::move(*ready)});
    begin_next();
  } else if (auto* started = std::get_if<Started>(&event)) {
    if (is_current(started->trial, started->attempt)) report_started(std::move(*started));
  } else if (auto* epoch = std::get_if<Epoch>(&event)) {
    if (!is_current(epoch->trial, epoch->attempt)) return;
    report_started({.trial = epoch->trial, .attempt = epoch->attempt});
    current_->epochs = epoch->epoch;
    send_(AttemptEpoch{settings_.slot, std::move(*epoch)});
  } else if (auto* finished = std::get_if<Finished>(&event)) {
    if (is_current(finished->trial, finished->attempt)) report_finished(std::move(*finished));
  } else if (auto* failed = std::get_if<Failed>(&event)) {
    if (!is_current(failed->trial, failed->attempt)) return;
    // No device memory survives a bad trial: a new process for the next one.
    if (failed->kind == TrainerFailure::oom || failed->kind == TrainerFailure::cuda) {
      doomed_ = true;
      process_->signal(SIGKILL);
    }
    report_failed(recorded_kind(failed->kind), failed->message, nullptr, process_->stderr_tail());
  } else if (const auto* stopped = std::get_if<Stopped>(&event)) {
    if (is_current(stopped->trial, stopped->attempt))
      report_failed(FailureKind::preempted, "stopped on request", nullptr, "");
  } else if (const auto* log = std::get_if<Log>(&event)) {
    log_(log->level, log->text);
  }
}

// {"epoch": 1, "loss": 0.5} is an epoch, {"result": {"loss": 0.5}} the result, the rest log text.
void SlotRunner::on_process_line(std::string_view line) {
  if (!current_ || current_->ending || current_->stopped_early) return;
  try {
    if (auto epoch = parse_epoch_shorthand(line)) {
      report_process_epoch(std::move(*epoch));
      return;
    }
    if (auto result = parse_result_shorthand(line)) {
      current_->result = std::move(*result);
      return;
    }
  } catch (const ProtocolError& error) {
    log_("warning", std::string(error.what()));
  }
  log_("debug", std::string(line));
}

void SlotRunner::report_process_epoch(Epoch epoch) {
  const auto now = Clock::now();
  epoch.trial = current_->start.trial;
  epoch.attempt = current_->start.attempt;
  if (epoch.wall_seconds == 0) epoch.wall_seconds = seconds_since(current_->last_epoch, now);
  current_->last_epoch = now;
  current_->epochs = epoch.epoch;
  if (auto& monitor = current_->early_stopping) {
    const auto metric = epoch.metrics.find(monitor->rule().metric);
    if (metric != epoch.metrics.end() && monitor->observe(epoch.epoch, metric->second))
      current_->best = epoch.metrics;
    current_->stopped_early = metric != epoch.metrics.end() && monitor->should_stop();
  }
  send_(AttemptEpoch{settings_.slot, std::move(epoch)});
  if (current_->stopped_early) {
    process_->signal(SIGTERM);
    kill_at_ = now + kTerminateGrace;
  }
}

bool SlotRunner::is_current(TrialId trial, int attempt) const {
  return current_ && !current_->ending && current_->start.trial == trial &&
         current_->start.attempt == attempt;
}

// ---- reporting

void SlotRunner::report_started(Started started) {
  if (current_->started_sent) return;
  current_->started_sent = true;
  send_(AttemptStarted{settings_.slot, std::move(started)});
}

void SlotRunner::report_finished(Finished finished) {
  report_started({.trial = finished.trial, .attempt = finished.attempt});
  if (finished.wall_seconds == 0) finished.wall_seconds = seconds_since(current_->began);
  if (finished.epochs == 0) finished.epochs = current_->epochs;
  current_.reset();
  if (process_) process_->unlock();
  send_(AttemptFinished{settings_.slot, std::move(finished)});
  begin_next();
}

void SlotRunner::report_failed(FailureKind kind, const std::string& message, const ChildExit* exit,
                               std::string stderr_tail) {
  AttemptFailed report{.slot = settings_.slot,
                       .trial = current_->start.trial,
                       .attempt = current_->start.attempt,
                       .kind = kind,
                       .message = message,
                       .stderr_tail = std::move(stderr_tail)};
  if (exit != nullptr) {
    report.exit_code = exit->code;
    report.signal = exit->signal;
  }
  current_.reset();
  if (process_) process_->unlock();
  send_(std::move(report));
  begin_next();
}

void SlotRunner::fail_front(const std::string& why, const ChildExit* exit,
                            std::string stderr_tail) {
  if (queue_.empty()) return;
  take_front();
  report_failed(FailureKind::crash, why, exit, std::move(stderr_tail));
}

// ---- ending

void SlotRunner::end_attempt(FailureKind kind, const std::string& message, int signal) {
  if (current_->ending) {
    if (signal == SIGKILL) process_->signal(SIGKILL);
    return;
  }
  current_->ending = Ending{kind, message};
  doomed_ = true;
  process_->signal(signal);
  if (signal != SIGKILL) kill_at_ = Clock::now() + kTerminateGrace;
}

void SlotRunner::on_child_exited() {
  if (!process_) return;
  const auto exit = process_->poll_exit();
  if (!exit) return;
  const bool died_at_start = !ready_ && !doomed_;  // else the reason is told already
  ready_ = doomed_ = false;
  kill_at_.reset();
  const std::unique_ptr<ChildProcess> gone = std::move(process_);
  if (current_ && current_->ending) {
    const Ending ending = *current_->ending;
    report_failed(ending.kind, ending.message, &*exit, gone->stderr_tail());
  } else if (!exit->fault.empty()) {
    if (!current_ && !queue_.empty()) take_front();
    if (current_) report_failed(FailureKind::crash, exit->fault, nullptr, gone->stderr_tail());
  } else if (current_ && !settings_.trainer.persistent &&
             (current_->stopped_early || exit->code == 0)) {
    Finished finished{.trial = current_->start.trial,
                      .attempt = current_->start.attempt,
                      .epochs = current_->epochs,
                      .result = std::move(current_->result)};
    if (current_->early_stopping && current_->early_stopping->rule().restore_best)
      finished.result = std::move(current_->best);
    report_finished(std::move(finished));
  } else if (current_) {
    report_failed(FailureKind::crash, "the trainer ended with " + exit->describe(), &*exit,
                  gone->stderr_tail());
  } else if (died_at_start) {
    fail_front("the trainer ended with " + exit->describe() + " before it said ready", &*exit,
               gone->stderr_tail());
  } else {
    begin_next();
  }
}

void SlotRunner::give_up_start(const std::string& why) {
  if (doomed_) return;
  doomed_ = true;
  process_->signal(SIGKILL);
  fail_front(why, nullptr, process_->stderr_tail());
}

void SlotRunner::tick(Clock::time_point now) {
  if (!process_) return;
  if (kill_at_ && now >= *kill_at_) {
    kill_at_.reset();
    process_->signal(SIGKILL);
  }
  const auto& limits = settings_.trainer;
  if (limits.persistent && !ready_ && !doomed_ &&
      seconds_since(spawned_, now) > limits.ready_seconds)
    give_up_start("the trainer did not say ready within " +
                  std::to_string(static_cast<int>(limits.ready_seconds)) + " s");
  if (current_ && !current_->ending && !current_->waits_for_lock && limits.hang_seconds > 0 &&
      seconds_since(current_->last_message, now) > limits.hang_seconds)
    end_attempt(FailureKind::hang,
                "no message for " + std::to_string(static_cast<int>(limits.hang_seconds)) + " s",
                SIGKILL);
}

void SlotRunner::shut_down() {
  stopping_ = true;
  if (process_) process_->close_stdin();
}

void SlotRunner::kill_trainer() {
  process_.reset();
}

}  // namespace windrow
