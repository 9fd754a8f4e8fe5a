#include "storage/store.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "storage/clock.h"
#include "storage/database.h"
#include "storage/file_identity.h"
#include "storage/file_name.h"
#include "storage/journal.h"
#include "storage/lock.h"
#include "storage/merge.h"
#include "storage/names.h"
#include "storage/reader.h"
#include "storage/reconcile.h"
#include "storage/recorder.h"
#include "storage/schema.h"
#include "storage/views.h"

namespace windrow::storage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kHeartbeatInterval = std::chrono::seconds(5);
// A disk that can't keep up slows the caller down here, before memory runs out.
constexpr std::size_t kMaxQueued = 500000;

void check_path(const std::filesystem::path& file) {
  if (const std::string fault = file_name_fault(file.string()); !fault.empty())
    throw StorageError(fault);
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw StorageError(file.string() + ": is a folder; name a file with --db");
}

// The attempt that a record tells of; nullopt: none.
std::optional<Store::Refused> attempt_of(const Record& record) {
  if (const auto* r = std::get_if<AttemptBegan>(&record)) return {{r->trial, r->attempt, ""}};
  if (const auto* r = std::get_if<EpochDone>(&record))
    return {{r->epoch.trial, r->epoch.attempt, ""}};
  if (const auto* r = std::get_if<AttemptFinished>(&record))
    return {{r->finished.trial, r->finished.attempt, ""}};
  if (const auto* r = std::get_if<AttemptFailed>(&record)) return {{r->trial, r->attempt, ""}};
  return std::nullopt;
}

std::string read_database_id(Database& database) {
  Statement identity(database, "SELECT database_id FROM identity");
  identity.step();
  return std::string(identity.text(0));
}

using Job = std::function<void(const std::string& error)>;  // the writer's, "" = none

}  // namespace

// The connection belongs to the constructor and then to the writer thread, which also does what
// other members ask for (jobs), between batches.
struct Store::Impl {
  struct Queued {
    Record record;
    std::int64_t at = 0;
  };

  Impl(const std::filesystem::path& file, StoreOptions given);
  ~Impl();

  template <class Work>
  auto begin(Work work) -> std::future<decltype(work())>;
  template <class Work>
  auto call(Work work) -> decltype(work()) {
    auto result = begin(std::move(work));
    if (!options.own_thread) {
      std::unique_lock guard(mutex);
      write_once(guard);
    }
    return result.get();
  }
  // With mutex held, which is free while write_once() writes.
  void throw_error() const;
  bool urgent() const;
  Clock::time_point due() const;
  bool write_once(std::unique_lock<std::mutex>& guard);

  StoreOptions options;
  std::string database_id;
  CoordinatorLock lock;
  Database database;
  std::optional<FileIdentity> identity;
  Names names{database};
  std::optional<Recorder> recorder;

  mutable std::mutex mutex;
  std::condition_variable work_arrived;   // for the writer
  std::condition_variable progress_made;  // for callers
  std::vector<Queued> queue;
  Clock::time_point oldest;
  std::deque<Job> jobs;
  std::uint64_t recorded_number = 0;
  std::uint64_t committed_number = 0;
  bool flush_wanted = false;
  bool stopping = false;
  std::vector<Refused> refused;
  std::optional<Clock::time_point> locked_out_since;
  std::string error;  // the writer's first; empty: none
  std::thread writer;

 private:
  void write_loop();
  void wait_for_work(std::unique_lock<std::mutex>& guard);
  void commit_batch(const std::vector<Queued>& batch);
  void commit_when_free(const std::vector<Queued>& batch);
  void apply_each(const std::vector<Queued>& batch, std::int64_t batch_at);
  void refuse_record(const Record& record, std::int64_t at, std::int64_t batch_at,
                     const std::string& why);
  void renew_lock_if_due();
  template <class Work>
  void in_transaction(Work work);

  Clock::time_point heartbeat_due;
};

Store::Impl::Impl(const std::filesystem::path& file, StoreOptions given)
    : options(given),
      lock((check_path(file), file), LockOptions{.interrupted = given.interrupted}),
      database(file, Database::Mode::create) {
  database.set_busy_timeout(std::chrono::seconds(5));
  const bool write_ahead_log = write_ahead_log_works(file);
  if (!write_ahead_log) set_journal_mode(database, false);
  check_identity(database);
  lock.wait_until_free(database);
  set_journal_mode(database, write_ahead_log);
  database.execute(
      "PRAGMA foreign_keys = ON; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; "
      "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192");
  {
    Transaction transaction(database);
    lock.wait_until_free(database);
    migrate(database);
    lock.write_row(database);
    end_dead_runs(database);
    names.load();
    refresh_views(database, names);
    database_id = read_database_id(database);
    transaction.commit();
  }
  recorder.emplace(database, names);
  identity.emplace(file);
  database.set_busy_timeout(options.busy_timeout);
  heartbeat_due = options.now() + kHeartbeatInterval;
  if (options.own_thread) writer = std::thread([this] { write_loop(); });
}

Store::Impl::~Impl() {
  {
    const std::lock_guard guard(mutex);
    stopping = true;
  }
  work_arrived.notify_one();
  if (writer.joinable()) {
    writer.join();
  } else {
    std::unique_lock guard(mutex);
    write_once(guard);
  }
  if (identity->moved()) {
    leave_other_files_alone(database);
    return;
  }
  try {
    lock.remove_row(database);
  } catch (const StorageError&) {  // the disk is full, ...: our death frees the lock as well
  }
  recorder.reset();  // its statements would keep the journal mode from changing
  leave_single_file(database);
}

template <class Work>
void Store::Impl::in_transaction(Work work) {
  identity->check();  // a journal is opened by name
  try {
    Transaction transaction(database);
    work();
    if (names.take_changed()) refresh_views(database, names);
    transaction.commit();
    recorder->committed();
  } catch (...) {
    recorder->rolled_back();
    try {
      names.load();                  // what was interned is rolled back
    } catch (const StorageError&) {  // the first error is the one to report
    }
    throw;
  }
}

void Store::Impl::renew_lock_if_due() {
  if (options.now() < heartbeat_due) return;
  lock.renew(database);
  heartbeat_due = options.now() + kHeartbeatInterval;
}

void Store::Impl::commit_batch(const std::vector<Queued>& batch) {
  const std::int64_t batch_at = now_ms();
  try {
    in_transaction([&] {
      for (const Queued& queued : batch) recorder->apply(queued.record, queued.at, batch_at);
      renew_lock_if_due();
    });
  } catch (const BadRecord&) {  // rare: so only now each record gets a savepoint
    in_transaction([&] {
      apply_each(batch, batch_at);
      renew_lock_if_due();
    });
  }
}

void Store::Impl::apply_each(const std::vector<Queued>& batch, std::int64_t batch_at) {
  for (const Queued& queued : batch) {
    database.execute("SAVEPOINT record");
    try {
      recorder->apply(queued.record, queued.at, batch_at);
    } catch (const BadRecord& error) {
      database.execute("ROLLBACK TO record");
      recorder->rolled_back();
      names.load_after_savepoint();
      refuse_record(queued.record, queued.at, batch_at, error.what());
    }
    database.execute("RELEASE record");
  }
}

void Store::Impl::refuse_record(const Record& record, std::int64_t at, std::int64_t batch_at,
                                const std::string& why) {
  auto attempt = attempt_of(record);
  if (!attempt) return;
  attempt->why = why;
  recorder->apply(AttemptFailed{.trial = attempt->trial,
                                .attempt = attempt->attempt,
                                .began = false,  // or it is there already
                                .kind = protocol::FailureKind::spec,
                                .message = "what it reported can't be stored: " + why,
                                .final = true},
                  at, batch_at);
  const std::lock_guard guard(mutex);
  refused.push_back(std::move(*attempt));
}

// A busy database is waited for, while records gather in memory; not when the run ends.
void Store::Impl::commit_when_free(const std::vector<Queued>& batch) {
  while (true) {
    try {
      commit_batch(batch);
      const std::lock_guard guard(mutex);
      locked_out_since.reset();
      return;
    } catch (const DatabaseBusy&) {
      const std::lock_guard guard(mutex);
      if (stopping) throw;
      if (!locked_out_since) locked_out_since = options.now();
    }
  }
}

bool Store::Impl::urgent() const {
  return stopping || !jobs.empty() || flush_wanted || queue.size() >= options.commit_rows;
}

// A third of the interval is for gathering a batch; the rest is for writing it.
Clock::time_point Store::Impl::due() const {
  return queue.empty() ? heartbeat_due : oldest + options.commit_interval / 3;
}

// Returns when there is something to do: a batch is due, a job, the heartbeat, or the end.
void Store::Impl::wait_for_work(std::unique_lock<std::mutex>& guard) {
  while (!urgent() && options.now() < due()) work_arrived.wait_until(guard, due());
}

void Store::Impl::write_loop() {
  std::unique_lock guard(mutex);
  do wait_for_work(guard);
  while (write_once(guard));
}

// All that waits; false: it was the last time.
bool Store::Impl::write_once(std::unique_lock<std::mutex>& guard) {
  std::vector<Queued> batch;
  batch.swap(queue);
  std::deque<Job> todo;
  todo.swap(jobs);
  const bool last = stopping;
  const std::uint64_t number = recorded_number;
  std::string met = error;
  const bool flushing = std::exchange(flush_wanted, false);
  guard.unlock();
  try {
    if (met.empty() && (!batch.empty() || options.now() >= heartbeat_due)) commit_when_free(batch);
    if (met.empty() && flushing) identity->check();
  } catch (const std::exception& e) {
    met = e.what();
    heartbeat_due = Clock::time_point::max();  // there is nothing more to keep alive
  }
  for (const auto& job : todo) job(met);
  guard.lock();
  error = met;
  if (error.empty()) committed_number = number;
  progress_made.notify_all();
  return !last;
}

void Store::write_now() {
  std::unique_lock guard(impl_->mutex);
  if (impl_->urgent() || impl_->options.now() >= impl_->due()) impl_->write_once(guard);
}

void Store::Impl::throw_error() const {
  if (!error.empty()) throw StorageError(error);
}

// Runs `work` on the writer thread, after all that was recorded before.
template <class Work>
auto Store::Impl::begin(Work work) -> std::future<decltype(work())> {
  using Result = decltype(work());
  auto promise = std::make_shared<std::promise<Result>>();  // a Job can be copied
  auto future = promise->get_future();
  {
    const std::lock_guard guard(mutex);
    throw_error();
    jobs.emplace_back([this, promise, work = std::move(work)](const std::string& met) mutable {
      try {
        if (!met.empty()) throw StorageError(met);
        std::optional<Result> result;
        in_transaction([&] { result = work(); });
        promise->set_value(std::move(*result));
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    });
  }
  work_arrived.notify_one();
  return future;
}

// ---- Store

Store::Store(const std::filesystem::path& file, StoreOptions options)
    : impl_(std::make_unique<Impl>(file, options)) {}

Store::~Store() = default;

std::string Store::database_id() const {
  return impl_->database_id;
}

void Store::renew_database_id() {
  impl_->database_id = impl_->call([&] {
    impl_->database.execute("UPDATE identity SET database_id = lower(hex(randomblob(16)))");
    return read_database_id(impl_->database);
  });
}

std::vector<StoredTrial> Store::reconcile(const StudyRecord& study,
                                          const std::vector<CellRecord>& cells,
                                          const std::vector<std::int64_t>& seeds) {
  return impl_->call(
      [&] { return storage::reconcile(impl_->database, impl_->names, study, cells, seeds); });
}

int Store::reset_failed(const std::string& study) {
  return impl_->call([&] { return storage::reset_failed(impl_->database, study); });
}

int Store::redo(const std::vector<TrialId>& trials) {
  return impl_->call([&] { return storage::redo(impl_->database, trials); });
}

// Of a copy: it holds still, and may be brought up to date.
MergeReport Store::merge(const std::filesystem::path& other) {
  Reader(other).studies();  // says what is wrong with a file that is none of ours
  const std::filesystem::path copy = impl_->database.file().string() + ".merge";
  std::error_code error;
  std::filesystem::remove(copy, error);
  const auto result = [&] {
    Database source(other, Database::Mode::existing);
    source.set_busy_timeout(std::chrono::seconds(10));
    source.execute("VACUUM INTO " + quote_text(copy.string()));
    Database from(copy, Database::Mode::existing);
    {
      Transaction transaction(from);
      migrate(from);
      transaction.commit();
    }
    return impl_->call([&] { return storage::merge(impl_->database, impl_->names, from); });
  };
  try {
    MergeReport report = result();
    std::filesystem::remove(copy, error);
    return report;
  } catch (...) {
    std::filesystem::remove(copy, error);
    throw;
  }
}

std::future<std::vector<StoredTrial>> Store::begin_reconcile(StudyRecord study,
                                                             std::vector<CellRecord> cells,
                                                             std::vector<std::int64_t> seeds) {
  return impl_->begin([impl = impl_.get(), study = std::move(study), cells = std::move(cells),
                       seeds = std::move(seeds)] {
    return storage::reconcile(impl->database, impl->names, study, cells, seeds);
  });
}

std::future<CellMeans> Store::begin_cell_metrics(std::string study,
                                                 std::vector<std::int64_t> seeds) {
  return impl_->begin([impl = impl_.get(), study = std::move(study), seeds = std::move(seeds)] {
    return storage::cell_metrics(impl->database, study, seeds);
  });
}

void Store::request_flush() {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->flush_wanted = true;
  }
  impl_->work_arrived.notify_one();
}

std::uint64_t Store::record(Record record) {
  if (!impl_->options.audit_events && std::holds_alternative<Event>(record)) {
    const std::lock_guard guard(impl_->mutex);
    return impl_->recorded_number;
  }
  std::unique_lock guard(impl_->mutex);
  impl_->throw_error();
  if (impl_->queue.size() >= kMaxQueued) {
    impl_->progress_made.wait(
        guard, [this] { return impl_->queue.size() < kMaxQueued || !impl_->error.empty(); });
    impl_->throw_error();
  }
  const bool first = impl_->queue.empty();
  if (first) impl_->oldest = impl_->options.now();
  impl_->queue.push_back({std::move(record), now_ms()});
  const bool wake = first || impl_->queue.size() == impl_->options.commit_rows;
  const std::uint64_t number = ++impl_->recorded_number;
  guard.unlock();
  if (wake) impl_->work_arrived.notify_one();
  return number;
}

std::uint64_t Store::committed() const {
  const std::lock_guard guard(impl_->mutex);
  impl_->throw_error();
  return impl_->committed_number;
}

std::vector<Store::Refused> Store::take_refused() {
  const std::lock_guard guard(impl_->mutex);
  return std::exchange(impl_->refused, {});
}

std::optional<std::chrono::steady_clock::time_point> Store::locked_out_since() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->locked_out_since;
}

void Store::flush() {
  std::unique_lock guard(impl_->mutex);
  const std::uint64_t wanted = impl_->recorded_number;
  impl_->flush_wanted = true;
  impl_->work_arrived.notify_one();
  if (!impl_->options.own_thread) impl_->write_once(guard);
  impl_->progress_made.wait(
      guard, [&] { return impl_->committed_number >= wanted || !impl_->error.empty(); });
  impl_->throw_error();
}

}  // namespace windrow::storage
