// The coordinator's side of the database: the one writer.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/cell_means.h"
#include "storage/error.h"
#include "storage/merge_report.h"
#include "storage/records.h"

namespace windrow::storage {

struct StoreOptions {
  std::chrono::milliseconds commit_interval{100};  // at most so long is a record not yet durable
  std::size_t commit_rows = 2000;                  // or so many records
  bool audit_events = true;
  // So long SQLite waits for another program's lock before the writer tries again.
  std::chrono::milliseconds busy_timeout{5000};
  // Asked while the constructor waits for another host's sign of life; true: it throws Interrupted.
  std::function<bool()> interrupted = {};
  // false: there is no writer thread; what waits is written by write_now() alone.
  bool own_thread = true;
  // For intervals; not the time of day.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Opens (creating or migrating) the database, takes the lock, and owns a writer thread. Records are
// applied in the order of record(); each batch is one transaction, durable when committed()
// reaches its last number. All members are called from one thread.
class Store {
 public:
  explicit Store(const std::filesystem::path& file, StoreOptions options = {});
  ~Store();  // flushes; swallows errors (call flush() first to see them)
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A random name that the database got when it was made, 32 hexadecimal digits: copies share it,
  // until they get another.
  std::string database_id() const;
  void renew_database_id();

  // Makes the database hold this study with these cells x seeds: new trials are inserted (pending)
  // in the order cells-major, seeds-minor of `cells`; stage membership is brought up to date;
  // trials `running` from a dead run become pending. Nothing is ever removed: cells the study
  // no longer has stay, with no stage. Durable on return. Returns the study's present trials, in
  // the order of `cells` x `seeds`. May be called again during the run when a stage expands.
  std::vector<StoredTrial> reconcile(const StudyRecord& study, const std::vector<CellRecord>& cells,
                                     const std::vector<std::int64_t>& seeds);

  // Sets failed trials of the study back to pending with fresh retry budgets (`windrow retry`).
  int reset_failed(const std::string& study);

  // Takes these trials back to be trained from the beginning, with fresh retry budgets (`windrow
  // redo`): their epochs, results and artefacts are removed, their attempts stay on record, those
  // that made the result with it. Returns how many had anything to take back.
  int redo(const std::vector<TrialId>& trials);

  // Takes the trials of another database that are over and not yet so here, with all that is known
  // of them. That file is only read, also while a run writes it. Throws StorageError.
  MergeReport merge(const std::filesystem::path& other);

  // Queues a record and returns its number (from 1). Throws StorageError if the writer thread has
  // met an error (the records not yet committed are lost with it, the database stays consistent).
  std::uint64_t record(Record record);

  // The number of the last durable record. Throws StorageError as record() does.
  std::uint64_t committed() const;

  // Records that can't be stored, since the last call. Each one's attempt is failed in the database
  // (`spec`), and the trial with it; all else goes on.
  struct Refused {
    TrialId trial;
    int attempt = 1;
    std::string why;
  };
  std::vector<Refused> take_refused();

  // Since when another program has kept the writer from the database, which it tries again and
  // again; nullopt: nobody does.
  std::optional<std::chrono::steady_clock::time_point> locked_out_since() const;

  // Waits until everything recorded is durable. Throws StorageError.
  void flush();

  // Without a thread of its own: does what the writer would do now, where something is due.
  void write_now();

  // The same without waiting for it: the futures are ready when the writer has done the work, after
  // all that was recorded before. get() throws StorageError.
  std::future<std::vector<StoredTrial>> begin_reconcile(StudyRecord study,
                                                        std::vector<CellRecord> cells,
                                                        std::vector<std::int64_t> seeds);
  // Mean of each metric (result, else last epoch) over the finished trials of each cell, of these
  // seeds: what an earlier version of the study had besides does not count.
  std::future<CellMeans> begin_cell_metrics(std::string study, std::vector<std::int64_t> seeds);

  // What was recorded so far is made durable at once and not at the end of the interval;
  // committed() tells when.
  void request_flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow::storage
