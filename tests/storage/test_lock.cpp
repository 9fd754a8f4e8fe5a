// One coordinator at a time: against another process of this host, and against another host's row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "child_process.h"
#include "samples.h"
#include "storage/clock.h"
#include "storage/lock.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A file that the other side writes at that moment is waited for.
constexpr std::chrono::seconds kPatience{30};

class LockTest : public ::testing::Test {
 protected:
  std::string open_error() {
    return storage_error([&] { Store store(file); });
  }
  // A row as another coordinator writes it.
  void put_row(const std::string& host, std::int64_t pid, const std::string& start,
               std::int64_t heartbeat) {
    if (!std::filesystem::exists(file)) Store store(file);
    Database database(file, Database::Mode::existing);
    database.set_busy_timeout(kPatience);
    Statement(database, "INSERT OR REPLACE INTO coordinator VALUES (1, ?1, ?2, ?3, ?4, ?4)")
        .run(host, pid, start, heartbeat);
  }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
};

TEST_F(LockTest, ASecondCoordinatorIsRefusedAndToldWhoHasIt) {
  ChildProcess holder([&](const ChildProcess::Line& line) {
    Store store(file);
    line.say("open");
    line.wait();
  });
  ASSERT_EQ(holder.hear(), "open");
  const std::string pid = std::to_string(holder.pid());
  EXPECT_THAT(open_error(),
              AllOf(StartsWith(file.string() + ": in use by the coordinator on host " +
                               this_process().host + " (pid " + pid + ", since 20"),
                    HasSubstr("stop it with `kill " + pid + "` on " + this_process().host)));
  const auto seen = Reader(file).coordinator();  // readers are welcome
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->pid, holder.pid());
  EXPECT_TRUE(seen->alive);
}

// Locks reach across hosts where the file system has such: the holder's pid is none of ours.
TEST_F(LockTest, WhoHoldsItOnAnotherHostIsNamed) {
  put_row("elsewhere", 2147483647, "boot:1", now_ms());
  const CoordinatorLock holder(file, {});
  EXPECT_THAT(storage_error([&] { CoordinatorLock(file, {}); }),
              HasSubstr("in use by the coordinator on host elsewhere (pid 2147483647"));
}

TEST_F(LockTest, AKilledCoordinatorsWorkIsTakenOver) {
  ChildProcess holder([&](const ChildProcess::Line& line) {
    Store store(file);
    const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
    store.record(began(trial));
    store.record(epoch(trial, 1, {{"loss", 1}}));
    store.flush();
    line.say("recorded");
    line.wait();
  });
  ASSERT_EQ(holder.hear(), "recorded");
  holder.kill();
  holder.wait();
  EXPECT_FALSE(Reader(file).coordinator()->alive);
  EXPECT_THAT(rows(file, "SELECT trial, epoch, loss FROM epochs"), ElementsAre("1|1|1"));
  Store store(file);
  const auto trials = store.reconcile(kStudy, some_cells(1), {0});
  EXPECT_EQ(trials[0].state, TrialState::pending);
  EXPECT_EQ(trials[0].committed_epochs, 1);
  EXPECT_EQ(Reader(file).coordinator()->pid, getpid());
}

TEST_F(LockTest, TheSameProcessIsRefusedToo) {
  Store store(file);
  EXPECT_THAT(open_error(), HasSubstr("in use by the coordinator"));
}

TEST_F(LockTest, ACleanEndRemovesRowAndFile) {
  EXPECT_EQ(open_error(), "");
  EXPECT_THAT(rows(file, "SELECT * FROM coordinator"), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".lock"));
}

TEST_F(LockTest, AReusedPidIsNotTheHolder) {
  const std::string start = this_process().start;
  put_row(this_process().host, getpid(), start.substr(0, start.find(':')) + ":1", now_ms());
  EXPECT_EQ(open_error(), "");
}

// The OS lock may be missing (some file systems have none): the row of a living process stands.
TEST_F(LockTest, ALivingProcessesRowIsEnough) {
  { const Store store(file); }
  ChildProcess other([&](const ChildProcess::Line& line) {
    const Database database(file, Database::Mode::existing);
    line.say(this_process().start);
    line.wait();
  });
  put_row(this_process().host, other.pid(), other.hear(), now_ms());
  EXPECT_THAT(open_error(), HasSubstr("pid " + std::to_string(other.pid())));
}

// The row came with the copy: a run of it is none of the holder's business.
TEST_F(LockTest, ACopyOfWhatALivingCoordinatorWritesIsFree) {
  ChildProcess holder([&](const ChildProcess::Line& line) {
    Store store(file);
    line.say("open");
    line.wait();
  });
  ASSERT_EQ(holder.hear(), "open");
  const auto copy = folder / "copy.db";
  {
    Database original(file, Database::Mode::existing);
    original.set_busy_timeout(kPatience);
    original.execute("VACUUM INTO '" + copy.string() + "'");
  }
  EXPECT_EQ(Reader(file).coordinator()->pid, holder.pid());
  EXPECT_THAT(rows(copy, "SELECT pid FROM coordinator"), ElementsAre(std::to_string(holder.pid())));
  EXPECT_FALSE(Reader(copy).coordinator());
  EXPECT_EQ(storage_error([&] { Store store(copy); }), "");
}

const LockOptions kQuick{.stale_after = std::chrono::milliseconds(100),
                         .watch = std::chrono::milliseconds(50),
                         .poll = std::chrono::milliseconds(5)};

TEST_F(LockTest, AnotherHostsOldHeartbeatIsWatchedForAWhile) {
  put_row("elsewhere", 4711, "boot:1", now_ms() - 31000);
  CoordinatorLock lock(file, kQuick);
  Database database(file, Database::Mode::existing);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(storage_error([&] { lock.wait_until_free(database); }), "");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kQuick.watch);
}

// Its clock is an hour behind, but it beats.
TEST_F(LockTest, AHostWhoseClockIsBehindIsNotTakenForDead) {
  put_row("elsewhere", 4711, "boot:1", now_ms() - 3600000);
  LockOptions options = kQuick;
  int polls = 0;
  options.watch = std::chrono::seconds(30);
  options.interrupted = [&] {
    if (++polls == 3) put_row("elsewhere", 4711, "boot:1", now_ms() - 3599000);
    return false;
  };
  CoordinatorLock lock(file, options);
  Database database(file, Database::Mode::existing);
  EXPECT_THAT(storage_error([&] { lock.wait_until_free(database); }), HasSubstr("host elsewhere"));
}

// Two machines of one name: the process ids of one say nothing of the other.
TEST_F(LockTest, AHostOfTheSameNameThatBootedAtAnotherTimeIsWatchedToo) {
  put_row(this_process().host, 1, "other-boot:1", now_ms() - 31000);
  CoordinatorLock lock(file, kQuick);
  Database database(file, Database::Mode::existing);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(storage_error([&] { lock.wait_until_free(database); }), "");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kQuick.watch);
}

TEST_F(LockTest, TheWaitCanBeInterrupted) {
  put_row("elsewhere", 4711, "boot:1", now_ms());
  EXPECT_THROW(Store(file, {.interrupted = [] { return true; }}), Interrupted);
}

TEST_F(LockTest, AnotherHostsFreshHeartbeatIsWaitedFor) {
  put_row("elsewhere", 4711, "boot:1", now_ms() + 3600000);  // its clock is an hour ahead
  CoordinatorLock lock(file, kQuick);
  Database database(file, Database::Mode::existing);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(storage_error([&] { lock.wait_until_free(database); }), "");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kQuick.stale_after);
}

TEST_F(LockTest, AnotherHostsBeatingHeartIsRefused) {
  put_row("elsewhere", 4711, "boot:1", now_ms());
  CoordinatorLock lock(
      file, {.stale_after = std::chrono::seconds(30), .poll = std::chrono::milliseconds(5)});
  Database database(file, Database::Mode::existing);
  database.set_busy_timeout(kPatience);
  auto error = std::async(std::launch::async,
                          [&] { return storage_error([&] { lock.wait_until_free(database); }); });
  std::int64_t heartbeat = now_ms();  // beats until the waiting one has seen it
  while (error.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready)
    put_row("elsewhere", 4711, "boot:1", ++heartbeat);
  EXPECT_THAT(error.get(), HasSubstr("in use by the coordinator on host elsewhere (pid 4711"));
}

TEST_F(LockTest, TheHeartbeatIsRenewedAndATakeoverNoticed) {
  EXPECT_EQ(open_error(), "");
  CoordinatorLock lock(file, kQuick);
  Database database(file, Database::Mode::existing);
  lock.write_row(database);
  database.execute("UPDATE coordinator SET heartbeat = 1");
  lock.renew(database);
  EXPECT_GT(read_lock_holder(database)->heartbeat, 1000);
  put_row("elsewhere", 4711, "boot:1", now_ms());
  EXPECT_THAT(storage_error([&] { lock.renew(database); }), HasSubstr("on host elsewhere"));
  lock.remove_row(database);  // another's stays
  EXPECT_EQ(read_lock_holder(database)->process.pid, 4711);
}

}  // namespace
}  // namespace windrow::storage
