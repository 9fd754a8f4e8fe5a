// Full disks, failing disks, kills and power losses at every single write: the file stays a sound
// database that holds a prefix of what was recorded, with all that was reported committed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "child_process.h"
#include "fault_vfs.h"
#include "samples.h"
#include "storage/database.h"
#include "temporary_folder.h"

#if defined(__SANITIZE_THREAD__)
// By default each process would sleep for a second at its end.
extern "C" const char* __tsan_default_options() {
  return "atexit_sleep_ms=0";
}
#endif

namespace windrow::storage {
namespace {

using Fault = FaultVfs::Fault;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kTrials = 2;
constexpr int kRecords = 12;  // epochs, in turn of the trials

// Crashes at every operation; under a sanitizer, whose processes fork slowly, at every fifth.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kStep = 5;
#else
constexpr int kStep = 1;
#endif

const StoreOptions kOnFlushOnly{.commit_interval = std::chrono::hours(1)};

// Record i: epoch i / kTrials + 1 of trial i % kTrials + 1, with two metrics.
EpochDone record(int i) {
  return epoch(TrialId{i % kTrials + 1}, i / kTrials + 1, {{"loss", i + 0.5}, {"top1", 0.25}});
}

void begin_trials(Store& store) {
  store.reconcile(kStudy, some_cells(1), {0, 1});
  for (int i = 1; i <= kTrials; ++i) store.record(began(TrialId{i}));
  store.flush();
}

// Records all in batches of three; says how many are committed after each.
template <class Say>
void record_all(Store& store, Say say) {
  for (int i = 0; i < kRecords; ++i) {
    store.record(record(i));
    if (i % 3 != 2) continue;
    store.flush();
    say(i + 1);
  }
}

std::string journal_name(bool write_ahead_log) {
  return write_ahead_log ? "Wal" : "Rollback";
}

class FaultTest : public ::testing::TestWithParam<bool /*write-ahead log*/> {
 protected:
  FaultTest() { vfs.refuse_shared_memory(!GetParam()); }

  // How many records the file holds, which must be the first ones, whole; -1 where it has no
  // trials.
  int held() {
    Database database(file, Database::Mode::existing);
    EXPECT_EQ(database.text("PRAGMA integrity_check"), "ok");
    if (database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'trial'") == 0) return -1;
    const auto count = static_cast<int>(database.integer("SELECT count(*) FROM epoch"));
    int expected_found = 0;
    Statement select(database,
                     "SELECT m.value FROM epoch e JOIN epoch_metric m ON m.epoch_id = e.id "
                     "JOIN metric n ON n.id = m.metric AND n.name = 'loss' "
                     "WHERE e.trial = ?1 AND e.epoch = ?2");
    for (int i = 0; i < count; ++i) {
      const auto wanted = record(i).epoch;
      if (select.row(wanted.trial.value, wanted.epoch) &&
          select.real(0) == wanted.metrics.at("loss"))
        ++expected_found;
    }
    EXPECT_EQ(expected_found, count) << "not the first records, or not whole";
    EXPECT_EQ(database.integer("SELECT count(*) FROM epoch_metric"), 2 * count);
    return count;
  }

  void crash_everywhere(Fault fault);

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
  FaultVfs vfs;
};

TEST_P(FaultTest, TheJournalIsTheOneThatWorks) {
  Store store(file);
  const std::string mode = Database(file, Database::Mode::existing).text("PRAGMA journal_mode");
  EXPECT_EQ(mode, GetParam() ? "wal" : "delete");
}

TEST_P(FaultTest, AFullDiskLosesOnlyTheOpenBatch) {
  Store(file, kOnFlushOnly);
  for (std::int64_t k = 1;; k += 3) {
    std::filesystem::remove(file);
    int committed = 0;
    std::string error, later;
    {
      Store store(file, kOnFlushOnly);
      begin_trials(store);
      vfs.arm(Fault::disk_full, k);
      error = storage_error([&] { record_all(store, [&](int n) { committed = n; }); });
      later = storage_error([&] { store.record(record(0)); });
    }
    vfs.disarm();
    if (error.empty()) break;  // fewer operations than k: all faults were tried
    EXPECT_THAT(error, AllOf(HasSubstr(file.string()), HasSubstr("the disk is full"),
                             HasSubstr("run the same command again")))
        << "operation " << k;
    EXPECT_EQ(later, error);
    EXPECT_EQ(held(), committed) << "operation " << k;
    Store again(file);  // and it goes on
    EXPECT_EQ(again.reconcile(kStudy, some_cells(1), {0, 1}).size(), 2U);
  }
}

TEST_P(FaultTest, AFailingDiskIsReported) {
  for (std::int64_t k = 1;; k += 3) {
    std::filesystem::remove(file);
    int committed = 0;
    std::string error;
    {
      Store store(file, kOnFlushOnly);
      begin_trials(store);
      vfs.arm(Fault::io_error, k);
      error = storage_error([&] { record_all(store, [&](int n) { committed = n; }); });
    }
    vfs.disarm();
    if (error.empty()) break;
    EXPECT_THAT(error, HasSubstr("the disk reports an error")) << "operation " << k;
    EXPECT_GE(held(), committed) << "operation " << k;  // a failed sync may have done its work
  }
}

TEST_P(FaultTest, AFullDiskAtTheStartIsReported) {
  for (std::int64_t k = 1;; k += kStep) {
    std::filesystem::remove(file);
    vfs.arm(Fault::disk_full, k);
    const std::string error = storage_error([&] { Store store(file); });
    const bool reached = vfs.operations() >= k;
    vfs.disarm();
    if (!reached) break;
    // The scratch file of the journal's choice may meet the fault first; a fault at the very end,
    // when the lock is given back, is nobody's loss.
    if (!error.empty()) {
      EXPECT_THAT(error, HasSubstr("the disk is full")) << "operation " << k;
    }
    EXPECT_EQ(storage_error([&] { Store store(file); }), "") << "operation " << k;
  }
}

// A child runs a whole study's records and is stopped at its k-th operation, for every k.
void FaultTest::crash_everywhere(Fault fault) {
  for (std::int64_t k = 1;; k += kStep) {
    std::filesystem::remove_all(folder.path());
    std::filesystem::create_directory(folder.path());
    ChildProcess child([&](const ChildProcess::Line& line) {
      vfs.arm(fault, k);
      Store store(file, kOnFlushOnly);
      begin_trials(store);
      record_all(store, [&](int n) { line.say(std::to_string(n)); });
    });
    int committed = 0;
    for (std::string said = child.hear(); !said.empty(); said = child.hear())
      committed = std::stoi(said);
    const int status = child.wait();
    ASSERT_TRUE(WIFEXITED(status)) << "operation " << k;
    if (k % 2 == 1 && committed > 0) {  // a reader may be the first to open what is left
      EXPECT_GE(rows(file, "SELECT epoch FROM epochs").size(), static_cast<std::size_t>(committed));
    }
    const int left = held();
    EXPECT_GE(left, committed == 0 ? -1 : committed) << "operation " << k;
    {
      Store store(file);  // takes over and goes on
      const auto trials = store.reconcile(kStudy, some_cells(1), {0, 1});
      EXPECT_EQ(trials[0].committed_epochs, (std::max(left, 0) + 1) / 2) << "operation " << k;
      EXPECT_EQ(trials[0].state, TrialState::pending);
    }
    if (HasFailure() || WEXITSTATUS(status) == 0) {
      EXPECT_GT(k, 30) << "the run is too short to mean anything";
      return;
    }
    ASSERT_EQ(WEXITSTATUS(status), kFaultExit) << "operation " << k;
  }
}

TEST_P(FaultTest, AKillAtAnyWriteKeepsWhatWasCommitted) {
  crash_everywhere(Fault::kill);
}

TEST_P(FaultTest, APowerLossAtAnyWriteKeepsWhatWasCommitted) {
  crash_everywhere(Fault::power_loss);
}

INSTANTIATE_TEST_SUITE_P(Journals, FaultTest, ::testing::Bool(),
                         [](const auto& info) { return journal_name(info.param); });

class RollbackJournalTest : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
  FaultVfs vfs;
};

TEST_F(RollbackJournalTest, AWriterWaitsForAReader) {
  vfs.refuse_shared_memory(true);
  Store store(file, kOnFlushOnly);
  begin_trials(store);
  Database reader(file, Database::Mode::read_only);
  reader.execute("BEGIN");
  EXPECT_EQ(reader.integer("SELECT count(*) FROM epoch"), 0);  // holds a shared lock now
  store.record(record(0));
  auto flushed = std::async(std::launch::async, [&] { store.flush(); });
  EXPECT_EQ(flushed.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_EQ(reader.integer("SELECT count(*) FROM epoch"), 0);
  reader.execute("COMMIT");
  EXPECT_NO_THROW(flushed.get());
  EXPECT_EQ(reader.integer("SELECT count(*) FROM epoch"), 1);
}

// A killed run on a local disk, its file then moved to a network file system.
TEST_F(RollbackJournalTest, AFileLeftWithAWriteAheadLogIsTakenOver) {
  ChildProcess child([&](const ChildProcess::Line& line) {
    Store store(file, kOnFlushOnly);
    begin_trials(store);
    store.record(record(0));
    store.flush();
    line.say("recorded");
    line.wait();
  });
  ASSERT_EQ(child.hear(), "recorded");
  child.kill();
  child.wait();
  ASSERT_GT(std::filesystem::file_size(file.string() + "-wal"), 0U);
  vfs.refuse_shared_memory(true);
  Store store(file);
  EXPECT_EQ(store.reconcile(kStudy, some_cells(1), {0, 1})[0].committed_epochs, 1);
  EXPECT_THAT(rows(file, "SELECT trial, loss FROM epochs"), ElementsAre("1|0.5"));
}

}  // namespace
}  // namespace windrow::storage
