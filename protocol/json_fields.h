// Each message's keys, stated once and used in both directions. Internal to protocol/.
#pragma once

#include <concepts>
#include <string>
#include <type_traits>

#include "protocol/lines.h"
#include "protocol/messages.h"

namespace windrow::protocol::fields {

template <class M, class T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

enum Need { required, optional };

// The event's name in the JSON.
template <class T>
inline constexpr const char* kName = nullptr;
template <>
inline constexpr const char* kName<Start> = "start";
template <>
inline constexpr const char* kName<Stop> = "stop";
template <>
inline constexpr const char* kName<Abort> = "abort";
template <>
inline constexpr const char* kName<Ready> = "ready";
template <>
inline constexpr const char* kName<Started> = "started";
template <>
inline constexpr const char* kName<Epoch> = "epoch";
template <>
inline constexpr const char* kName<Finished> = "finished";
template <>
inline constexpr const char* kName<Failed> = "failed";
template <>
inline constexpr const char* kName<Stopped> = "stopped";
template <>
inline constexpr const char* kName<Log> = "log";
template <>
inline constexpr const char* kName<Heartbeat> = "heartbeat";
template <>
inline constexpr const char* kName<Welcome> = "welcome";
template <>
inline constexpr const char* kName<Assign> = "assign";
template <>
inline constexpr const char* kName<Withdraw> = "withdraw";
template <>
inline constexpr const char* kName<CancelTrial> = "cancel_trial";
template <>
inline constexpr const char* kName<StopAll> = "stop_all";
template <>
inline constexpr const char* kName<Forget> = "forget";
template <>
inline constexpr const char* kName<Leave> = "leave";
template <>
inline constexpr const char* kName<Alive> = "alive";
template <>
inline constexpr const char* kName<Hello> = "hello";
template <>
inline constexpr const char* kName<SetGang> = "gang";
template <>
inline constexpr const char* kName<SetSlotGang> = "slot_gang";
template <>
inline constexpr const char* kName<ProgramSeen> = "program_seen";
template <>
inline constexpr const char* kName<EnvironmentSeen> = "environment_seen";
template <>
inline constexpr const char* kName<TrainerReady> = "trainer_ready";
template <>
inline constexpr const char* kName<AttemptStarted> = "attempt_started";
template <>
inline constexpr const char* kName<AttemptEpoch> = "attempt_epoch";
template <>
inline constexpr const char* kName<AttemptFinished> = "attempt_finished";
template <>
inline constexpr const char* kName<AttemptFailed> = "attempt_failed";
template <>
inline constexpr const char* kName<SlotClosing> = "slot_closing";
template <>
inline constexpr const char* kName<AttemptWarning> = "attempt_warning";
template <>
inline constexpr const char* kName<SlotLost> = "slot_lost";
template <>
inline constexpr const char* kName<Withdrawn> = "withdrawn";
template <>
inline constexpr const char* kName<AgentHeartbeat> = "agent_heartbeat";
template <>
inline constexpr const char* kName<StopRequested> = "stop_requested";
template <>
inline constexpr const char* kName<Goodbye> = "goodbye";

template <class V, Is<EarlyStopping> M>
void visit(V& v, M& m) {
  v("metric", m.metric, required);
  v("goal", m.goal, optional);
  v("patience", m.patience, optional);
  v("min_delta", m.min_delta, optional);
  v("restore_best", m.restore_best, optional);
}
template <class V, Is<Watched> M>
void visit(V& v, M& m) {
  v("epoch", m.epoch, required);
  v("value", m.value, required);
}
template <class V, Is<Start> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("task", m.task, optional);
  v("parameters", m.parameters, required);
  v("seed", m.seed, required);
  v("early_stopping", m.early_stopping, optional);
  v("device", m.device, optional);
  v("threads", m.threads, optional);
  v("data_dir", m.data_dir, optional);
  v("checkpoint_dir", m.checkpoint_dir, optional);
  v("committed_epochs", m.committed_epochs, optional);
  v("watched_history", m.watched_history, optional);
  v("widest_gang", m.widest_gang, optional);
  v("gang_deadline", m.gang_deadline, optional);
  v("helping", m.helping, optional);
}
template <class V, Is<Helping> M>
void visit(V& v, M& m) {
  v("store", m.store, required);
  v("number", m.number, required);
}
template <class V, Is<SetGang> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("helpers", m.helpers, required);
  v("lent_slots", m.lent_slots, optional);
  v("lent_threads", m.lent_threads, optional);
}
template <class V, class M>
requires Is<M, Stop> || Is<M, Abort> || Is<M, Stopped> || Is<M, Heartbeat>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
}
template <class V, Is<Ready> M>
void visit(V& v, M& m) {
  v("versions", m.versions, optional);
  v("device", m.device, optional);
  v("tasks", m.tasks, optional);
}
template <class V, Is<Started> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("resumed_from_epoch", m.resumed_from_epoch, optional);
  v("info", m.info, optional);
  v("gang_port", m.gang_port, optional);
  v("takes_threads", m.takes_threads, optional);
  v("device_kind", m.device_kind, optional);
  v("precision", m.precision, optional);
}
template <class V, Is<Epoch> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("epoch", m.epoch, required);
  v("metrics", m.metrics, optional);
  v("wall_seconds", m.wall_seconds, optional);
  v("state_hash", m.state_hash, optional);
  v("checkpoint", m.checkpoint, optional);
  v("checkpoint_hash", m.checkpoint_hash, optional);
  v("members", m.members, optional);
}
template <class V, Is<Finished> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("epochs", m.epochs, optional);
  v("result", m.result, optional);
  v("result_epoch", m.result_epoch, optional);
  v("artefacts", m.artefacts, optional);
  v("wall_seconds", m.wall_seconds, optional);
  v("peak_device_memory", m.peak_device_memory, optional);
}
template <class V, Is<Failed> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("kind", m.kind, required);
  v("message", m.message, optional);
}
template <class V, Is<Log> M>
void visit(V& v, M& m) {
  v("level", m.level, optional);
  v("text", m.text, required);
}
template <class V, Is<TrainerSettings> M>
void visit(V& v, M& m) {
  v("command", m.command, required);
  v("persistent", m.persistent, required);
  v("arguments", m.arguments, required);
  v("reports_nothing", m.reports_nothing, required);
  v("gang", m.gang, required);
  v("ready_seconds", m.ready_seconds, required);
  v("hang_seconds", m.hang_seconds, required);
  v("files", m.files, optional);
  v("freeze", m.freeze, optional);
  v("code", m.code, optional);
}
template <class V, Is<Welcome> M>
void visit(V& v, M& m) {
  v("slots", m.slots, required);
  v("trainer", m.trainer, required);
  v("lost_seconds", m.lost_seconds, required);
  v("stop_within_seconds", m.stop_within_seconds, required);
  v("until_ms", m.until_ms, required);
}
template <class V, Is<Assign> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("start", m.start, required);
}
template <class V, class M>
requires Is<M, Withdraw> || Is<M, CancelTrial> || Is<M, Withdrawn>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
}
template <class V, Is<SlotClosing> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
}
template <class V, Is<SetSlotGang> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("gang", m.gang, required);
}
template <class V, Is<StopAll> M>
void visit(V& v, M& m) {
  v("now", m.now, required);
}
template <class V, Is<Forget> M>
void visit(V& v, M& m) {
  v("trial", m.trial, required);
  v("checkpoint_dir", m.checkpoint_dir, required);
}
template <class V, Is<Leave> M>
void visit(V& v, M& m) {
  v("error", m.error, required);
  v("come_again", m.come_again, optional);
}
template <class V, Is<SlotInfo> M>
void visit(V& v, M& m) {
  v("device", m.device, required);
  v("threads", m.threads, required);
}
template <class V, Is<BatchJob> M>
void visit(V& v, M& m) {
  v("id", m.id, required);
  v("restarts", m.restarts, required);
  v("node", m.node, required);
  v("ends_at_ms", m.ends_at_ms, required);
}
template <class V, Is<Hello> M>
void visit(V& v, M& m) {
  v("version", m.version, required);
  v("study_hash", m.study_hash, required);
  v("host", m.host, required);
  v("pid", m.pid, required);
  v("slots", m.slots, required);
  v("faults", m.faults, optional);
  v("job", m.job, optional);
}
template <class V, Is<Program> M>
void visit(V& v, M& m) {
  v("hash", m.hash, required);
  v("command", m.command, required);
  v("files", m.files, required);
}
template <class V, Is<ProgramSeen> M>
void visit(V& v, M& m) {
  v("program", m.program, required);
}
template <class V, Is<EnvironmentSeen> M>
void visit(V& v, M& m) {
  v("facts", m.facts, required);
}
template <class V, Is<TrainerReady> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("ready", m.ready, required);
}
template <class V, Is<AttemptStarted> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("started", m.started, required);
  v("program", m.program, optional);
}
template <class V, Is<AttemptEpoch> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("epoch", m.epoch, required);
}
template <class V, Is<Usage> M>
void visit(V& v, M& m) {
  v("cpu_seconds", m.cpu_seconds, required);
  v("peak_memory", m.peak_memory, required);
}
template <class V, Is<AttemptFinished> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("finished", m.finished, required);
  v("unread_lines", m.unread_lines, optional);
  v("usage", m.usage, optional);
}
template <class V, Is<AttemptFailed> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("kind", m.kind, required);
  v("message", m.message, required);
  v("reached", m.reached, required);
  v("exit_code", m.exit_code, optional);
  v("signal", m.signal, optional);
  v("stderr_tail", m.stderr_tail, optional);
  v("unread_lines", m.unread_lines, optional);
  v("usage", m.usage, optional);
  v("memory_limit", m.memory_limit, optional);
}
template <class V, Is<AttemptWarning> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("trial", m.trial, required);
  v("attempt", m.attempt, required);
  v("text", m.text, required);
}
template <class V, Is<SlotLost> M>
void visit(V& v, M& m) {
  v("slot", m.slot, required);
  v("reason", m.reason, required);
}
template <class V, class M>
requires Is<M, AgentHeartbeat> || Is<M, Alive>
void visit(V&, M&) {}
template <class V, class M>
requires Is<M, StopRequested> || Is<M, Goodbye>
void visit(V& v, M& m) {
  v("reason", m.reason, required);
}

// ---------------------------------------------------------------------------------------------

struct Writer;
struct Reader;
template <class M>
concept Visitable = requires(Writer& w, M& m) {
  visit(w, m);
};

template <class T>
Json write(const T& value);
template <class T>
void read(const Json& json, T& value, const std::string& key);

struct Writer {
  Json& json;
  template <class T>
  void operator()(const char* key, const T& value, Need) {
    json[key] = write(value);
  }
  template <class T>
  void operator()(const char* key, const std::optional<T>& value, Need) {
    if (value) json[key] = write(*value);
  }
};

struct Reader {
  const Json& json;
  const std::string& path;  // of the object, for errors
  template <class T>
  void operator()(const char* key, T& value, Need need) {
    const auto found = json.find(key);
    if (found == json.end()) {
      if (need == required) throw ProtocolError(path + ": the key \"" + key + "\" is missing");
      return;
    }
    read(*found, value, path + "." + key);
  }
  template <class T>
  void operator()(const char* key, std::optional<T>& value, Need) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return;
    read(*found, value.emplace(), path + "." + key);
  }
};

[[noreturn]] void wrong_type(const std::string& key, const char* expected, const Json& got);

template <class T>
Json write(const T& value) {
  if constexpr (std::same_as<T, Goal>) {
    return value == Goal::minimize ? "min" : "max";
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(to_string(value));
  } else if constexpr (requires {
                         Id(value);
                         value.value;
                       }) {
    return value.value;
  } else if constexpr (requires {
                         value.begin();
                         typename T::value_type;
                       } &&
                       !std::same_as<T, std::string> && !std::same_as<T, Metrics> &&
                       !std::same_as<T, Json>) {
    Json array = Json::array();
    for (const auto& element : value) array.push_back(write(element));
    return array;
  } else if constexpr (std::is_class_v<T> && !std::same_as<T, std::string> &&
                       !std::same_as<T, Metrics> && !std::same_as<T, Json>) {
    Json object = Json::object();
    Writer writer{object};
    visit(writer, value);
    return object;
  } else {
    return value;  // numbers, strings, Metrics, Json; nlohmann dumps NaN as null
  }
}

void read_scalar(const Json& json, std::string& value, const std::string& key);
void read_scalar(const Json& json, bool& value, const std::string& key);
void read_scalar(const Json& json, int& value, const std::string& key);
void read_scalar(const Json& json, std::int64_t& value, const std::string& key);
void read_scalar(const Json& json, double& value, const std::string& key);
void read_scalar(const Json& json, Goal& value, const std::string& key);
void read_scalar(const Json& json, TrainerFailure& value, const std::string& key);
void read_scalar(const Json& json, FailureKind& value, const std::string& key);
void read_scalar(const Json& json, Reached& value, const std::string& key);
void read_scalar(const Json& json, Arguments& value, const std::string& key);
void read_scalar(const Json& json, Metrics& value, const std::string& key);
void read_scalar(const Json& json, Json& value, const std::string& key);

template <class T>
void read(const Json& json, T& value, const std::string& key) {
  if constexpr (requires { read_scalar(json, value, key); }) {
    read_scalar(json, value, key);
  } else if constexpr (requires {
                         Id(value);
                         value.value;
                       }) {
    read_scalar(json, value.value, key);
  } else if constexpr (requires { value.emplace_back(); }) {
    if (!json.is_array()) wrong_type(key, "a list", json);
    for (const auto& element : json) read(element, value.emplace_back(), key + "[]");
  } else {
    if (!json.is_object()) wrong_type(key, "an object", json);
    Reader reader{json, key};
    visit(reader, value);
  }
}

}  // namespace windrow::protocol::fields
