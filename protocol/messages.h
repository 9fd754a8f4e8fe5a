// The messages of Windrow, named by direction. The agent and its trainer exchange them as lines of
// JSON (lines.h); coordinator and agents exchange them as binary JSON (wire.h). No dependency on
// MPI, SQLite or LibTorch.
//
// Every message about an attempt carries trial and attempt, and a receiver drops those of an
// attempt that is over.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/early_stopping.h"
#include "protocol/failure.h"
#include "protocol/ids.h"

namespace windrow::protocol {

using Json = nlohmann::json;

// Name to value; NaN stands for "the trainer reported no number" (null in JSON).
using Metrics = std::map<std::string, double>;

// ---------------------------------------------------------------------------------------------
// Agent -> trainer

// A gang trains one trial together: its lead, which has the attempt and alone reports and writes
// checkpoints, and helpers, which come and go between epochs.
struct Helping {      // makes a Start that of a helper
  std::string store;  // HOST:PORT, where the lead's c10d::TCPStore listens
  int number = 1;     // of the helper; no other of the attempt has it
  friend bool operator==(const Helping&, const Helping&) = default;
};

struct Start {
  TrialId trial;
  int attempt = 1;                   // from 1
  std::string task;                  // "" for a command trainer
  Json parameters = Json::object();  // complete: the study's values and the task's defaults
  std::int64_t seed = 0;
  std::optional<EarlyStopping> early_stopping;
  std::string device;          // "cpu" or "cuda" (the trainer sees only its own GPUs)
  int threads = 1;             // CPU threads the trainer may use
  std::string data_dir;        // "" where the task needs none
  std::string checkpoint_dir;  // this trial's own folder; "" = keep no checkpoints
  int committed_epochs = 0;    // epochs 1..n are in the database; go on from the newest
                               // usable checkpoint and send again what lies after n
  // The early-stopping metric of the recorded epochs, in order, for the agent, which watches
  // trainers that don't stop by themselves. Empty without early stopping.
  std::vector<Watched> watched_history;
  int widest_gang = 1;             // members that a gang of this attempt may ever have
  double gang_deadline = 60;       // seconds that a member may be behind the others
  std::optional<Helping> helping;  // train with the lead of this attempt; report no epochs
  friend bool operator==(const Start&, const Start&) = default;
};

struct Stop {  // finish the epoch, checkpoint, answer Stopped
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const Stop&, const Stop&) = default;
};

struct Abort {  // leave the attempt now; no answer is expected
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const Abort&, const Abort&) = default;
};

struct SetGang {  // to the lead: from the next epoch on, train with those of these who are there
  TrialId trial;
  int attempt = 1;
  std::vector<int> helpers;  // by their numbers
  int lent_slots = 0;        // that stand idle: their threads are the attempt's beside its own
  int lent_threads = 0;
  friend bool operator==(const SetGang&, const SetGang&) = default;
};

using ToTrainer = std::variant<Start, Stop, Abort, SetGang>;

// ---------------------------------------------------------------------------------------------
// Trainer -> agent

struct Ready {                     // once, before the first start
  Json versions = Json::object();  // for example {"windrow-trainer": "0.1.0", "torch": "2.11.0"}
  std::string device;              // for people, for example "cpu" or "NVIDIA H200"
  std::vector<std::string> tasks;  // the tasks it can train
  friend bool operator==(const Ready&, const Ready&) = default;
};

struct Started {
  TrialId trial;
  int attempt = 1;
  int resumed_from_epoch = 0;  // 0: from the beginning
  Json info = Json::object();  // facts known before training, for example {"parameters": 21001}
  int gang_port = 0;           // where helpers find the attempt's store; 0: it takes none
  bool takes_threads = false;  // it can use more CPU threads, and how many changes no bit
  std::string device_kind;     // what computes: "cpu" or the GPU's name; "" = not known
  std::string precision;       // of its floating point, for example "float32"; "" = not known
  friend bool operator==(const Started&, const Started&) = default;
};

struct Epoch {  // sent once its checkpoint (if any) is durable
  TrialId trial;
  int attempt = 1;
  int epoch = 1;  // from 1
  Metrics metrics;
  double wall_seconds = 0;
  std::string state_hash;       // of weights and optimizer state; "" where there is none
  std::string checkpoint;       // file name within checkpoint_dir; ""  where there is none
  std::string checkpoint_hash;  // of that file's content
  int members = 1;              // slots that trained it together
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

struct Finished {
  TrialId trial;
  int attempt = 1;
  int epochs = 0;                       // how many epochs the trial has in all
  Metrics result;                       // empty: the last epoch's metrics are the result
  int result_epoch = 0;                 // where `result` is empty: the epoch whose metrics are the
                                        // result; 0: the last one
  Json artefacts = Json::object();      // name to JSON, for example a confusion matrix
  double wall_seconds = 0;              // of this attempt; 0: the agent's own measure is used
  std::int64_t peak_device_memory = 0;  // bytes of the GPU's; 0: not known, or none was used
  friend bool operator==(const Finished&, const Finished&) = default;
};

struct Failed {
  TrialId trial;
  int attempt = 1;
  TrainerFailure kind = TrainerFailure::crash;
  std::string message;
  friend bool operator==(const Failed&, const Failed&) = default;
};

struct Stopped {  // the answer to Stop: the epoch is done and its checkpoint durable
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const Stopped&, const Stopped&) = default;
};

struct Log {
  std::string level = "info";  // debug, info, warning, error
  std::string text;
  friend bool operator==(const Log&, const Log&) = default;
};

struct Heartbeat {  // progress within an epoch; resets the hang timer
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

using FromTrainer = std::variant<Ready, Started, Epoch, Finished, Failed, Stopped, Log, Heartbeat>;

// ---------------------------------------------------------------------------------------------
// Coordinator -> agent

// How a process-a-trial trainer is given the parameters; WINDROW_PARAMETERS has them in any case.
enum class Arguments {
  flags,  // --name=value; a parameter that is true: --name, one that is false: nothing
  words,  // --name=value, true and false as values too
  hydra,  // name=value
  none,
};
inline constexpr std::array<std::string_view, 4> kArgumentsNames = {"flags", "words", "hydra",
                                                                    "none"};
constexpr std::string_view to_string(Arguments arguments) {
  return kArgumentsNames[static_cast<std::size_t>(arguments)];
}

// How an agent starts and minds its trainers.
struct TrainerSettings {
  std::vector<std::string> command;  // argv of a command trainer; empty: windrow-trainer
  bool persistent = false;           // true: one process for many trials
  Arguments arguments = Arguments::words;
  bool reports_nothing = false;  // the exit code is all that the program says
  int gang = 1;                  // processes that train a trial together, each on a device
  double ready_seconds = 300;    // a persistent trainer must say ready within
  double hang_seconds = 0;       // no output for so long is a hang; 0: no limit
  // Files and folders that are the program's own, beside those that are found.
  std::vector<std::string> files;
  std::vector<std::string> freeze;  // folders that are trained from a copy made at the first run
  std::string code;                 // where that copy is; "" = there is none
  friend bool operator==(const TrainerSettings&, const TrainerSettings&) = default;
};

struct Welcome {              // the answer to Hello
  std::vector<SlotId> slots;  // the ids of the agent's slots, in Hello's order
  TrainerSettings trainer;
  double lost_seconds = 30;        // silence after which either side takes the other for dead
  double stop_within_seconds = 0;  // after a stop, what still runs is ended then; 0: no limit
  // Unix time by which the run is to be over, in milliseconds: no epoch is begun that can't end
  // before; 0: no limit.
  std::int64_t until_ms = 0;
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

struct Assign {  // run this next on the slot; queued behind what the slot runs now
  SlotId slot;
  Start start;
  friend bool operator==(const Assign&, const Assign&) = default;
};

struct Withdraw {  // give a queued assignment back; answered by Withdrawn unless it has begun
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const Withdraw&, const Withdraw&) = default;
};

struct CancelTrial {  // end this attempt, queued or running: it is wanted no more. Answered by
                      // Withdrawn, or AttemptFailed of kind `cancelled`, unless it is over
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const CancelTrial&, const CancelTrial&) = default;
};

struct SetSlotGang {  // hand it to the attempt that the slot runs
  SlotId slot;
  SetGang gang;
  friend bool operator==(const SetSlotGang&, const SetSlotGang&) = default;
};

struct StopAll {     // no new attempts; end the running ones
  bool now = false;  // false: after the epoch in progress and its checkpoint; true: at once
  friend bool operator==(const StopAll&, const StopAll&) = default;
};

struct Forget {  // the trial's result is durable: remove its checkpoints
  TrialId trial;
  std::string checkpoint_dir;
  friend bool operator==(const Forget&, const Forget&) = default;
};

struct Leave {              // end the agent
  std::string error;        // why, where the coordinator refuses it; "" = the study is over
  bool come_again = false;  // a guest may join anew: it was only taken for dead
  friend bool operator==(const Leave&, const Leave&) = default;
};

struct Alive {  // the coordinator's heartbeat: an agent that misses it leaves
  friend bool operator==(const Alive&, const Alive&) = default;
};

using ToAgent = std::variant<Welcome, Assign, Withdraw, CancelTrial, SetSlotGang, StopAll, Forget,
                             Leave, Alive>;

// ---------------------------------------------------------------------------------------------
// Agent -> coordinator

struct SlotInfo {
  std::string device;  // "cpu" or "cuda:<index on the host>"
  int threads = 1;
  friend bool operator==(const SlotInfo&, const SlotInfo&) = default;
};

struct BatchJob {               // of a batch system, that the agent runs in
  std::string id;               // "4711", "4711_3" of an array; "" = none
  int restarts = 0;             // how often it was requeued
  std::string node;             // by the batch system's name
  std::int64_t ends_at_ms = 0;  // Unix time of its limit; 0 = not known
  friend bool operator==(const BatchJob&, const BatchJob&) = default;
};

struct Hello {
  std::string version;     // of windrow; all ranks must have the same
  std::string study_hash;  // of the study as this rank reads it; "" = the rank can't see the file
  std::string host;
  std::int64_t pid = 0;
  std::vector<SlotInfo> slots;
  std::vector<std::string> faults;  // why this rank can't take part; empty: it can
  BatchJob job;
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct TrainerReady {
  SlotId slot;
  Ready ready;
  friend bool operator==(const TrainerReady&, const TrainerReady&) = default;
};

// What a trainer's command is made of, for the record.
struct Program {
  std::string hash;                  // of all of it
  std::vector<std::string> command;  // its words
  Json files = Json::object();       // of its own, by name: the hash of the content
  friend bool operator==(const Program&, const Program&) = default;
};

struct ProgramSeen {  // comes before the first attempt that it makes at this agent
  Program program;
  friend bool operator==(const ProgramSeen&, const ProgramSeen&) = default;
};

struct EnvironmentSeen {  // once: what the agent's trainers find around them
  Json facts = Json::object();
  friend bool operator==(const EnvironmentSeen&, const EnvironmentSeen&) = default;
};

struct AttemptStarted {
  SlotId slot;
  Started started;
  std::string program;  // Program::hash of the trainer's process
  friend bool operator==(const AttemptStarted&, const AttemptStarted&) = default;
};

struct AttemptEpoch {
  SlotId slot;
  Epoch epoch;
  friend bool operator==(const AttemptEpoch&, const AttemptEpoch&) = default;
};

// What an attempt took of its host.
struct Usage {
  double cpu_seconds = 0;
  std::int64_t peak_memory = 0;  // bytes, of its largest process; 0: not known
  friend bool operator==(const Usage&, const Usage&) = default;
};

struct AttemptFinished {
  SlotId slot;
  Finished finished;
  int unread_lines = 0;        // that looked like messages and could not be read
  std::optional<Usage> usage;  // nullopt: not known
  friend bool operator==(const AttemptFinished&, const AttemptFinished&) = default;
};

struct AttemptFailed {
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  FailureKind kind = FailureKind::crash;
  std::string message;
  Reached reached = Reached::nothing;
  std::optional<int> exit_code;  // of the trainer, where it left
  std::optional<int> signal;     // that ended the trainer
  std::string stderr_tail;       // its last lines
  int unread_lines = 0;          // that looked like messages and could not be read
  std::optional<Usage> usage;    // nullopt: not known
  // Where the kernel ended it for want of memory: bytes that all processes there have together, on
  // the host or in the batch job; 0: not known.
  std::int64_t memory_limit = 0;
  friend bool operator==(const AttemptFailed&, const AttemptFailed&) = default;
};

struct AttemptWarning {  // something odd that the attempt goes on despite; told once each
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  std::string text;
  friend bool operator==(const AttemptWarning&, const AttemptWarning&) = default;
};

struct SlotLost {  // its process can't be ended, or other trouble of its own: give it nothing more
  SlotId slot;
  std::string reason;
  friend bool operator==(const SlotLost&, const SlotLost&) = default;
};

struct SlotClosing {  // the slot begins nothing more, for its agent is to leave; what runs there
                      // ends soon
  SlotId slot;
  friend bool operator==(const SlotClosing&, const SlotClosing&) = default;
};

struct Withdrawn {
  SlotId slot;
  TrialId trial;
  int attempt = 1;
  friend bool operator==(const Withdrawn&, const Withdrawn&) = default;
};

struct AgentHeartbeat {
  friend bool operator==(const AgentHeartbeat&, const AgentHeartbeat&) = default;
};

struct StopRequested {  // a signal asked this rank to stop; the coordinator stops the study
  std::string reason;
  friend bool operator==(const StopRequested&, const StopRequested&) = default;
};

struct Goodbye {  // the agent's last message
  std::string reason;
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

using FromAgent =
    std::variant<Hello, ProgramSeen, EnvironmentSeen, TrainerReady, AttemptStarted, AttemptEpoch,
                 AttemptFinished, AttemptFailed, AttemptWarning, SlotLost, SlotClosing, Withdrawn,
                 AgentHeartbeat, StopRequested, Goodbye>;

}  // namespace windrow::protocol
