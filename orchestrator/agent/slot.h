// A slot as a pure state machine: its trainer, the attempt that the trainer works on and the one
// queued behind it. A state, and free functions on_<event>(state, event, now, out) that append
// actions to `out`. No process, no file and no clock in it: the slot runner carries the actions out
// and hands the time in.
//
//   empty -> starting -> ready -> running -> ready ...      a persistent trainer
//   empty -> starting -> running -> empty ...               a process a trial
//   starting, ready or running -> ending -> empty           its process is being ended
//   any -> quiet                                            the slot takes nothing more
//
// An attempt is over, and said to be, only when nothing of it runs any more: when the trainer said
// so and lives on, or when its process is gone. A process that outlives SIGKILL is let go after a
// while, and the slot with it.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/early_stopping.h"
#include "protocol/messages.h"

namespace windrow::slot {

using Time = std::chrono::steady_clock::time_point;
using Seconds = std::chrono::duration<double>;

struct Settings {
  SlotId slot;
  protocol::TrainerSettings trainer;
  bool shipped = false;            // windrow-trainer: it stops early by itself
  double stop_within_seconds = 0;  // after a stop what still runs is killed; 0: no limit
  std::optional<Time> until;       // no epoch is begun that can't end before
};

enum class Phase { empty, starting, ready, running, ending, quiet };

// How a process ended.
struct Exit {
  std::optional<int> code, signal;
  std::string describe;         // "exit code 1", "signal 9 (Killed)"
  std::string stderr_tail;      // what it wrote last
  bool memory_ran_out = false;  // on this host, a moment ago: the kernel killed it, or its helpers
  std::int64_t memory_limit = 0;  // bytes that all processes here have together; 0: not known
};

// The attempt that the process works on, or is being started for.
struct Attempt {
  protocol::Start start;
  Time began, last_epoch_at;
  protocol::Reached reached = protocol::Reached::nothing;
  bool told = false;             // AttemptStarted was sent
  double last_wall_seconds = 0;  // of the last epoch reported
  int epochs = 0;                // the highest reported so far, of earlier attempts too
  bool reported_here = false;    // an epoch or a result in this attempt
  int unread_lines = 0;
  protocol::Metrics result;                               // of a process-a-trial trainer
  std::optional<protocol::EarlyStoppingMonitor> monitor;  // where the agent watches
  int watched_epoch = 0;                                  // the epoch that reports now, and
  bool watched_came = false;  // whether the watched metric was among its metrics
  std::vector<std::string> names_seen;
  bool stopped_early = false;
  bool stop_asked = false;          // a polite stop is on its way
  std::vector<std::string> warned;  // what was warned of, once each
};

// Why the process is being ended; without an attempt the reason concerns the process alone.
struct Ending {
  std::optional<protocol::FailureKind> kind;  // of the attempt; nullopt: it finishes
  std::string message;
  bool said = false;               // by the trainer itself: how we end it is no part of the failure
  std::optional<Time> kill_at;     // SIGTERM was sent: SIGKILL then
  std::optional<Time> give_up_at;  // SIGKILL was sent: let go then
};

// A death by a signal that nobody here sent: did this rank get it too? What kills a whole job or
// node kills its processes one by one, the trainers perhaps first.
struct Unexplained {
  Time until;
  std::string message;
  Exit exit;
};

struct State {
  Settings settings;
  Phase phase = Phase::empty;
  bool has_process = false;
  std::deque<protocol::Start> queue;
  std::optional<Attempt> attempt;
  std::optional<Ending> ending;
  std::optional<Unexplained> unexplained;
  std::optional<Time> waits_for_folder;  // since when; the hang limit does not count meanwhile
  bool found_checkpoints = false;        // in the attempt's folder, when it was taken
  Time spawned{}, last_sign{};
  std::optional<Time> output_closed_at;  // of the process's stdout
  int silent_exits = 0;  // of trainers that took an attempt and said nothing of it, in a row
  std::optional<Time> stopped_at;  // no new attempts since
  std::optional<Time> stop_deadline;
  bool leaving = false;  // shut_down: quiet once the process is gone
};

// ---- actions
struct Spawn {  // a trainer; a process a trial gets `attempt`, whose folder it is to own
  std::optional<protocol::Start> attempt;
};
struct TakeFolder {  // of the attempt that is to begin; answered by on_folder_taken
  std::string folder;
};
struct LeaveFolder {};  // the attempt is over
struct Write {
  protocol::ToTrainer message;
};
struct CloseInput {};  // which ends a persistent trainer
struct Signal {        // to the trainer's process group; SIGKILL to all its descendants
  int number;
};
struct LetGo {};  // wait for the process no more
struct Report {
  protocol::FromAgent message;
};
struct Log {
  std::string level, text;
};
using Action =
    std::variant<Spawn, TakeFolder, LeaveFolder, Write, CloseInput, Signal, LetGo, Report, Log>;
using Actions = std::vector<Action>;

// ---- orders
void on_assign(State& state, protocol::Start start, Time now, Actions& out);
void on_withdraw(State& state, TrialId trial, int attempt, Actions& out);
void on_cancel(State& state, TrialId trial, int attempt, Time now, Actions& out);
void on_gang(State& state, const protocol::SetGang& gang, Actions& out);  // for the lead
// No new attempts. Polite: the epoch in progress is finished (a persistent trainer is asked, a
// process gets SIGTERM). `at_once`: SIGKILL. Again and stronger is allowed.
void on_stop(State& state, bool at_once, std::optional<double> within_seconds, Time now,
             Actions& out);
void on_shut_down(State& state, Time now, Actions& out);  // the run is over: end the process
void on_abandon(State& state, Actions& out);              // and don't wait for it any longer
void on_time(State& state, Time now, Actions& out);       // several times a second

// ---- the process
// It runs. `found_checkpoints`: the attempt's folder, which a process a trial owns now, held files.
void on_spawned(State& state, bool found_checkpoints, Time now, Actions& out);
// `kind`: spec where the attempt's parameters keep it from starting.
void on_spawn_failed(State& state, const std::string& why, Time now, Actions& out,
                     protocol::FailureKind kind = protocol::FailureKind::crash);
// `holder`: "HOST, process PID"; "" where it is not known.
void on_folder_busy(State& state, const std::string& holder, Time now, Actions& out);
void on_folder_taken(State& state, bool found_checkpoints, Time now, Actions& out);
void on_output(State& state, Time now);         // anything on either stream is life
void on_output_closed(State& state, Time now);  // stdout; its exit should follow
void on_exit(State& state, const Exit& exit, Time now, Actions& out);

// ---- what it says
void on_message(State& state, protocol::FromTrainer message, Time now, Actions& out);
void on_broken_protocol(State& state, const std::string& why, Time now, Actions& out);
void on_printed_text(State& state);  // a line of a process-a-trial trainer that is no message
void on_printed_epoch(State& state, protocol::Epoch epoch, Time now, Actions& out);
void on_printed_result(State& state, protocol::Metrics result, Time now, Actions& out);
void on_unread_line(State& state, const std::string& why, Actions& out);
void on_refused_line(State& state, const std::string& why, Time now, Actions& out);  // fails it

// ---- queries
bool is_idle(const State& state);   // nothing runs and nothing is queued
bool is_quiet(const State& state);  // nothing runs and nothing will
std::optional<std::string> check_invariants(const State& state);  // nullopt: all is well

}  // namespace windrow::slot
