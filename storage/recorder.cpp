#include "storage/recorder.h"

#include <cmath>

#include "protocol/text.h"
#include "protocol/utf8.h"
#include "storage/clock.h"
#include "storage/process.h"
#include "storage/schema.h"

namespace windrow::storage {

using protocol::valid_utf8;

namespace {

std::optional<std::int64_t> known_bytes(std::int64_t bytes) {
  return bytes > 0 ? std::optional(bytes) : std::nullopt;
}

std::optional<double> cpu_seconds(const std::optional<protocol::Usage>& usage) {
  return usage ? std::optional(usage->cpu_seconds) : std::nullopt;
}

std::optional<std::int64_t> peak_memory(const std::optional<protocol::Usage>& usage) {
  return known_bytes(usage ? usage->peak_memory : 0);
}

// Text that isn't valid UTF-8 is replaced, not refused: a trainer's odd path must not end a run.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> dump_if_any(const Json& json) {
  if (json.empty()) return std::nullopt;
  return dump(json);
}

std::string comma_separated(const std::vector<SlotId>& slots) {
  std::string text;
  for (const SlotId slot : slots) {
    if (!text.empty()) text += ',';
    text += std::to_string(slot.value);
  }
  return text;
}

// A program's clock may fail.
double seconds(double given) {
  return std::isfinite(given) ? given : 0;
}

std::optional<std::string_view> unless_empty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

Recorder::Recorder(Database& db, Names& names)
    : database_(db),
      names_(names),
      insert_attempt_(db,
                      "INSERT OR IGNORE INTO attempt (trial, attempt, session, host, rank, slots, "
                      "gang, device, versions, info, began_at, outcome, resumed_from_epoch, "
                      "device_kind, precision, program, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                      "?7, ?8, ?9, ?10, ?11, 'running', ?12, ?13, ?14, ?15, ?16)"),
      begin_trial_(db,
                   "UPDATE trial SET attempts = max(attempts, ?2), "
                   "state = iif(failure IS 'cancelled', state, 1), "
                   "failure = iif(failure IS 'cancelled', failure, NULL) "
                   "WHERE id = ?1 AND state <> 2"),
      put_trial_metric_(db,
                        "INSERT OR REPLACE INTO trial_metric (trial, metric, value) "
                        "VALUES (?1, ?2, ?3)"),
      attempt_is_open_(db,
                       "SELECT 1 FROM trial WHERE id = ?1 AND state <> 2 AND NOT EXISTS "
                       "(SELECT 1 FROM failure WHERE trial = ?1 AND attempt = ?2)"),
      insert_epoch_(db,
                    "INSERT OR IGNORE INTO epoch (trial, epoch, attempt, wall_seconds, state_hash, "
                    "checkpoint, checkpoint_hash, committed_at, members) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
      replace_epoch_(db,
                     "UPDATE epoch SET attempt = ?3, wall_seconds = ?4, state_hash = ?5, "
                     "checkpoint = ?6, checkpoint_hash = ?7, committed_at = ?8, members = ?9 "
                     "WHERE trial = ?1 AND epoch = ?2 AND attempt < ?3"),
      complete_epoch_(db,
                      "UPDATE epoch SET wall_seconds = ?4, state_hash = coalesce(?5, state_hash), "
                      "checkpoint = coalesce(?6, checkpoint), "
                      "checkpoint_hash = coalesce(?7, checkpoint_hash), members = ?9 "
                      "WHERE trial = ?1 AND epoch = ?2 AND attempt = ?3 "
                      "AND attempt = (SELECT attempts FROM trial WHERE id = ?1)"),
      clear_epoch_metrics_(db, "DELETE FROM epoch_metric WHERE epoch_id = ?1"),
      put_epoch_metric_(db,
                        "INSERT OR REPLACE INTO epoch_metric (epoch_id, metric, value) "
                        "VALUES (?1, ?2, ?3)"),
      epoch_id_(db, "SELECT id FROM epoch WHERE trial = ?1 AND epoch = ?2"),
      drop_epochs_(db, "DELETE FROM epoch WHERE trial = ?1 AND epoch > ?2"),
      drop_epoch_metrics_(db,
                          "DELETE FROM epoch_metric WHERE epoch_id IN "
                          "(SELECT id FROM epoch WHERE trial = ?1 AND epoch > ?2)"),
      epoch_totals_(db, "SELECT max(epoch), sum(wall_seconds) FROM epoch WHERE trial = ?1"),
      last_epoch_(db, "SELECT id FROM epoch WHERE trial = ?1 ORDER BY epoch DESC LIMIT 1"),
      copy_metrics_(db,
                    "INSERT OR REPLACE INTO trial_metric (trial, metric, value) "
                    "SELECT ?1, metric, value FROM epoch_metric WHERE epoch_id = ?2"),
      end_attempt_(db,
                   "UPDATE attempt SET ended_at = ?3, outcome = ?4, unread_lines = ?5, "
                   "cpu_seconds = ?6, peak_memory = ?7, peak_device_memory = ?8 "
                   "WHERE trial = ?1 AND attempt = ?2 RETURNING began_at"),
      finish_trial_(db,
                    "UPDATE trial SET state = 2, attempts = max(attempts, ?2), epochs = ?3, "
                    "wall_seconds = ?4, failure = NULL WHERE id = ?1"),
      put_artefact_(db,
                    "INSERT OR REPLACE INTO artefact (trial, attempt, name, content) "
                    "VALUES (?1, ?2, ?3, ?4)"),
      insert_failure_(db,
                      "INSERT OR IGNORE INTO failure (trial, attempt, kind, message, exit_code, "
                      "signal, host, rank, slot, stderr_tail, failed_at) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
      insert_unbegun_attempt_(
          db,
          "INSERT OR IGNORE INTO attempt (trial, attempt, session, host, rank, "
          "slots, gang, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'running')"),
      fail_trial_(db,
                  "UPDATE trial SET attempts = ?2, "
                  "state = iif(?3 = 3 OR failure IS NOT 'cancelled', ?3, state), "
                  "failure = iif(?3 = 3 OR failure IS NOT 'cancelled', ?4, failure) "
                  "WHERE id = ?1 AND state <> 2 AND attempts <= ?2"),
      forgive_(db, "UPDATE failure SET forgiven = ?3 WHERE trial = ?1 AND attempt = ?2"),
      give_up_trial_(db, "UPDATE trial SET state = ?2, failure = ?3 WHERE id = ?1 AND state <> 2"),
      insert_event_(db, "INSERT INTO event (session, at, kind, text) VALUES (?1, ?2, ?3, ?4)"),
      put_slot_(db,
                "INSERT OR REPLACE INTO slot (session, slot, host, rank, device, threads, node, "
                "job, job_restarts, job_ends_at) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      put_checkpoints_(db, "UPDATE session SET checkpoints = ?2 WHERE id = ?1"),
      put_stopped_by_(db, "UPDATE session SET stopped_by = ?2 WHERE id = ?1") {}

void Recorder::apply(const Record& record, std::int64_t at, std::int64_t batch_at) {
  at_ = at;
  batch_at_ = batch_at;
  std::visit([this](const auto& r) { on(r); }, record);
}

std::int64_t Recorder::session() {
  if (!session_) {
    const auto self = this_process();
    Statement(database_,
              "INSERT INTO session (host, pid, version, began_at) VALUES (?1, ?2, ?3, ?4)")
        .run(self.host, self.pid, WINDROW_VERSION, at_);
    session_ = database_.last_insert_id();
  }
  return *session_;
}

void Recorder::on(const AttemptBegan& r) {
  const std::int64_t trial = r.trial.value;
  insert_attempt_.run(trial, r.attempt, session(), valid_utf8(r.host), r.rank,
                      comma_separated(r.slots), r.slots.size(), valid_utf8(r.device),
                      dump_if_any(r.versions), dump_if_any(r.info), at_, r.resumed_from_epoch,
                      unless_empty(r.device_kind), unless_empty(r.precision),
                      unless_empty(r.program), source_);
  if (database_.changes() == 0) return;  // repeated
  begin_trial_.run(trial, r.attempt);
  for (const auto& [name, value] : r.info.items()) {
    if (!protocol::name_fault(name).empty()) continue;  // stays in `info` alone
    if (value.is_number_integer()) {
      put_trial_metric_.run(trial, names_.trial_metric(name), value.get<std::int64_t>());
    } else if (value.is_number()) {
      put_trial_metric_.run(trial, names_.trial_metric(name), value.get<double>());
    }
  }
}

void Recorder::on(const EpochDone& r) {
  const protocol::Epoch& e = r.epoch;
  const std::int64_t trial = e.trial.value;
  const bool open = attempt_is_open_.row(trial, e.attempt);
  attempt_is_open_.reset();
  if (!open) return;  // it is over: the message comes late
  const auto run = [&](Statement& statement) {
    statement.run(trial, e.epoch, e.attempt, seconds(e.wall_seconds), unless_empty(e.state_hash),
                  unless_empty(e.checkpoint), unless_empty(e.checkpoint_hash), batch_at_,
                  std::max(e.members, 1));
    return database_.changes() != 0;
  };
  std::int64_t id = 0;
  if (run(insert_epoch_)) {
    id = database_.last_insert_id();
  } else {
    const bool replaced = run(replace_epoch_);
    if (!replaced && !run(complete_epoch_)) return;  // of an attempt that is over
    epoch_id_.row(trial, e.epoch);
    id = epoch_id_.integer(0);
    epoch_id_.reset();
    if (replaced) clear_epoch_metrics_.run(id);
  }
  for (const auto& [name, value] : e.metrics)
    put_epoch_metric_.run(id, names_.epoch_metric(name), value);
}

void Recorder::on(const AttemptFinished& r) {
  const protocol::Finished& f = r.finished;
  const std::int64_t trial = f.trial.value;
  const bool open = attempt_is_open_.row(trial, f.attempt);
  attempt_is_open_.reset();
  if (!open) return;   // repeated
  if (f.epochs > 0) {  // 0: the trainer does not say, the epochs that are there count
    drop_epoch_metrics_.run(trial, f.epochs);
    drop_epochs_.run(trial, f.epochs);
  }
  epoch_totals_.row(trial);
  const bool has_epochs = !epoch_totals_.is_null(0);
  const std::int64_t epochs = epoch_totals_.integer(0);
  double wall_seconds = has_epochs ? epoch_totals_.real(1) : seconds(f.wall_seconds);
  epoch_totals_.reset();
  const bool began =
      end_attempt_.row(trial, f.attempt, at_, "finished", r.unread_lines, cpu_seconds(r.usage),
                       peak_memory(r.usage), known_bytes(f.peak_device_memory)) &&
      !end_attempt_.is_null(0);
  if (!has_epochs && wall_seconds <= 0 && began)
    wall_seconds = static_cast<double>(at_ - end_attempt_.integer(0)) / 1000;
  end_attempt_.reset();
  put_result(trial, f, has_epochs);
  for (const auto& [name, content] : f.artefacts.items())
    put_artefact_.run(trial, f.attempt, name, dump(content));
  finish_trial_.run(trial, f.attempt, epochs, wall_seconds);
}

// The last epoch's metrics, and over them what the trainer states as the result.
void Recorder::put_result(std::int64_t trial, const protocol::Finished& finished, bool has_epochs) {
  if (has_epochs) {
    const bool named = finished.result.empty() && finished.result_epoch > 0;
    Statement& epoch = named ? epoch_id_ : last_epoch_;
    const bool found = named ? epoch.row(trial, finished.result_epoch) : epoch.row(trial);
    if (found) copy_metrics_.run(trial, epoch.integer(0));
    epoch.reset();
  }
  for (const auto& [name, value] : finished.result)
    put_trial_metric_.run(trial, names_.trial_metric(name), value);
}

void Recorder::on(const AttemptFailed& r) {
  const std::int64_t trial = r.trial.value;
  const std::string_view kind = protocol::to_string(r.kind);
  const auto slot = r.slot ? std::optional(r.slot->value) : std::nullopt;
  insert_failure_.run(trial, r.attempt, kind, valid_utf8(r.message), r.exit_code, r.signal,
                      valid_utf8(r.host), r.rank, slot, valid_utf8(r.stderr_tail), at_);
  if (database_.changes() == 0) return;  // repeated
  if (!r.began)
    insert_unbegun_attempt_.run(trial, r.attempt, session(), r.host, r.rank,
                                slot ? std::to_string(*slot) : "", slot ? 1 : 0);
  end_attempt_.run(trial, r.attempt, at_, kind, r.unread_lines, cpu_seconds(r.usage),
                   peak_memory(r.usage), known_bytes(0));
  const auto state = r.final ? TrialState::failed : TrialState::pending;
  fail_trial_.run(trial, r.attempt, static_cast<int>(state),
                  r.final ? std::optional(kind) : std::nullopt);
}

void Recorder::on(const FailureForgiven& r) {
  forgive_.run(r.trial.value, r.attempt, r.run_stopped ? kForgivenWithTheRun : kForgiven);
}

void Recorder::on(const TrialFailed& r) {
  give_up_trial_.run(r.trial.value, static_cast<int>(TrialState::failed),
                     protocol::to_string(r.kind));
}

void Recorder::on(const Event& r) {
  insert_event_.run(session(), at_, r.kind, valid_utf8(r.text));
}

void Recorder::on(const SlotRecord& r) {
  const protocol::BatchJob& job = r.job;
  const bool in_job = !job.id.empty();
  put_slot_.run(session(), r.slot.value, r.host, r.rank, r.device, r.threads,
                unless_empty(job.node), unless_empty(job.id),
                in_job ? std::optional<std::int64_t>(job.restarts) : std::nullopt,
                job.ends_at_ms > 0 ? std::optional(job.ends_at_ms) : std::nullopt);
}

void Recorder::on(const ProgramRecord& r) {
  const protocol::Program& program = r.program;
  Statement(database_,
            "INSERT OR IGNORE INTO program (hash, command, files, recorded_at) "
            "VALUES (?1, ?2, ?3, ?4)")
      .run(program.hash, dump(program.command), dump(program.files), at_);
}

void Recorder::on(const SourceRecord& r) {
  const std::string diff = valid_utf8(r.diff);
  Statement(database_,
            "INSERT OR IGNORE INTO source (git_commit, dirty, diff, recorded_at) "
            "VALUES (?1, ?2, ?3, ?4)")
      .run(r.commit, int{r.dirty}, diff, at_);
  Statement find(database_, "SELECT id FROM source WHERE git_commit = ?1 AND diff = ?2");
  find.row(r.commit, diff);
  source_ = find.integer(0);
}

void Recorder::on(const EnvironmentRecord& r) {
  const std::string facts = dump(r.facts);
  Statement(database_, "INSERT OR IGNORE INTO environment (facts) VALUES (?1)").run(facts);
  Statement put(database_,
                "UPDATE slot SET environment = (SELECT id FROM environment WHERE facts = ?3) "
                "WHERE session = ?1 AND slot = ?2");
  for (const SlotId slot : r.slots) put.run(session(), slot.value, facts);
}

void Recorder::on(const RunFacts& r) {
  put_checkpoints_.run(session(), unless_empty(r.checkpoints));
}

void Recorder::on(const StopAsked& r) {
  put_stopped_by_.run(session(), valid_utf8(r.by));
}

}  // namespace windrow::storage
