// Which files the Store takes: new, empty and older ones; and which it refuses, with what words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "child_process.h"
#include "samples.h"
#include "storage/database.h"
#include "storage/schema.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FileTest : public ::testing::Test {
 protected:
  std::string open_error() {
    return storage_error([&] { Store store(file); });
  }
  std::string read_error() {
    return storage_error([&] { Reader reader(file); });
  }
  void write(const std::string& content) { std::ofstream(file) << content; }
  void execute(const std::string& sql) { Database(file, Database::Mode::create).execute(sql); }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
};

TEST_F(FileTest, NewAndEmptyFilesBecomeDatabases) {
  EXPECT_EQ(open_error(), "");
  EXPECT_EQ(open_error(), "");  // and open again
  std::filesystem::remove(file);
  write("");
  EXPECT_EQ(open_error(), "");
  Database database(file, Database::Mode::read_only);
  EXPECT_EQ(database.integer("PRAGMA user_version"), schema_version());
  EXPECT_EQ(database.integer("PRAGMA application_id"), kApplicationId);
}

TEST_F(FileTest, ACleanEndLeavesOneFile) {
  EXPECT_EQ(open_error(), "");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(FileTest, ANewerFileIsRefusedWithBothVersions) {
  EXPECT_EQ(open_error(), "");
  execute("PRAGMA user_version = 77");
  const auto says =
      AllOf(StartsWith(file.string()), HasSubstr("schema version 77"),
            HasSubstr("up to " + std::to_string(schema_version())), HasSubstr("--db"));
  EXPECT_THAT(open_error(), says);
  EXPECT_THAT(read_error(), says);
}

TEST_F(FileTest, AnotherProgramsDatabaseIsRefusedAndNotTouched) {
  execute("CREATE TABLE theirs (x); PRAGMA user_version = 1");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("not one of Windrow"), HasSubstr("--db")));
  EXPECT_THAT(read_error(), HasSubstr("not one of Windrow"));
  Database database(file, Database::Mode::read_only);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(FileTest, GarbageIsRefused) {
  write(std::string(5000, 'x'));
  EXPECT_THAT(open_error(), AllOf(StartsWith(file.string()), HasSubstr("is not an SQLite database"),
                                  HasSubstr("--db")));
  EXPECT_THAT(read_error(), HasSubstr("is not an SQLite database"));
}

TEST_F(FileTest, ADamagedFileIsRefused) {
  {
    Store store(file);
    store.reconcile(kStudy, some_cells(100), {0});
  }
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(100)
      << std::string(8000, '\xff');
  EXPECT_THAT(open_error(), HasSubstr("is damaged"));
}

TEST_F(FileTest, AFolderIsRefused) {
  std::filesystem::create_directory(file);
  EXPECT_THAT(open_error(), AllOf(HasSubstr("is a folder"), HasSubstr("--db")));
  EXPECT_THAT(read_error(), HasSubstr("is a folder"));
}

TEST_F(FileTest, AMissingFolderIsRefused) {
  const auto missing = folder / "no" / "such" / "windrow.db";
  EXPECT_THAT(storage_error([&] { Store store(missing); }),
              AllOf(HasSubstr(missing.string()), HasSubstr("No such file"), HasSubstr("--db")));
}

TEST_F(FileTest, AReaderRefusesMissingAndEmptyFilesAndMakesNone) {
  EXPECT_THAT(read_error(), AllOf(HasSubstr("no such file"), HasSubstr("--db")));
  EXPECT_FALSE(std::filesystem::exists(file));
  write("");
  EXPECT_THAT(read_error(), HasSubstr("is empty"));
}

// Permissions don't bind root, so the child becomes another user first.
TEST_F(FileTest, ReadOnlyFilesAndFoldersAreRefused) {
  EXPECT_EQ(open_error(), "");
  chmod(file.c_str(), 0444);
  const auto error_as_nobody = [&](mode_t folder_mode) {
    chmod(folder.path().c_str(), folder_mode);
    ChildProcess child([&](const ChildProcess::Line& line) {
      if (getuid() == 0 && setuid(65534) != 0) line.say("can't become another user");
      line.say(open_error());
    });
    return child.hear();
  };
  EXPECT_THAT(error_as_nobody(0777), AllOf(HasSubstr("is read-only"), HasSubstr("--db")));
  EXPECT_THAT(error_as_nobody(0555), AllOf(HasSubstr("Permission denied"), HasSubstr("--db")));
  chmod(folder.path().c_str(), 0777);
}

// ---- migrate() with steps of the test's own

TEST_F(FileTest, MigrationsRunOnceInOrder) {
  const std::array<Migration, 2> steps = {
      [](Database& db) { db.execute("CREATE TABLE t (x)"); },
      [](Database& db) { db.execute("ALTER TABLE t ADD COLUMN y; INSERT INTO t VALUES (1, 2)"); }};
  Database database(file, Database::Mode::create);
  migrate(database, std::span(steps).first(1));
  EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
  migrate(database, steps);
  migrate(database, steps);
  EXPECT_EQ(database.integer("PRAGMA user_version"), 2);
  EXPECT_EQ(database.integer("SELECT count(*) FROM t WHERE y = 2"), 1);
}

// It is read as it is, by the views of its time, and a writer brings it up to date.
TEST_F(FileTest, AFileOfTheVersionBeforeIsReadAndBroughtUpToDate) {
  {
    Store store(file);
    const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
    store.record(began(trial));
    store.record(epoch(trial, 1, {{"loss", 1}}));
    store.record(finished(trial, 1));
  }
  execute(
      "DROP VIEW attempts; DROP VIEW epochs; DROP INDEX gang_epoch; "
      "ALTER TABLE epoch DROP COLUMN members; ALTER TABLE attempt DROP COLUMN device_kind; "
      "ALTER TABLE attempt DROP COLUMN precision; ALTER TABLE slot DROP COLUMN node; "
      "ALTER TABLE slot DROP COLUMN job; ALTER TABLE slot DROP COLUMN job_restarts; "
      "ALTER TABLE slot DROP COLUMN job_ends_at; ALTER TABLE session DROP COLUMN checkpoints; "
      "ALTER TABLE session DROP COLUMN stopped_by; DROP TABLE program; DROP TABLE source; "
      "DROP VIEW sources; DROP VIEW programs; DROP VIEW environments; DROP TABLE environment; "
      "ALTER TABLE attempt DROP COLUMN program; ALTER TABLE attempt DROP COLUMN source; "
      "ALTER TABLE attempt DROP COLUMN taken_back; ALTER TABLE slot DROP COLUMN environment; "
      "ALTER TABLE trial DROP COLUMN redone; ALTER TABLE attempt DROP COLUMN cpu_seconds; "
      "ALTER TABLE attempt DROP COLUMN peak_memory; "
      "ALTER TABLE attempt DROP COLUMN peak_device_memory; PRAGMA user_version = 2; "
      "CREATE VIEW attempts AS SELECT trial, attempt, outcome FROM attempt; "
      "CREATE VIEW epochs AS SELECT trial, epoch FROM epoch");
  EXPECT_EQ(rows(file, "SELECT * FROM attempts"), std::vector<std::string>{"1|1|finished"});
  EXPECT_EQ(rows(file, "SELECT * FROM epochs"), std::vector<std::string>{"1|1"});
  EXPECT_EQ(Reader(file).trials("p1").size(), 1u);
  EXPECT_EQ(open_error(), "");
  EXPECT_EQ(rows(file, "SELECT members FROM epochs"), std::vector<std::string>{"1"});
  EXPECT_EQ(rows(file, "SELECT device_kind FROM attempts"), std::vector<std::string>{"null"});
}

TEST_F(FileTest, AFailedMigrationLeavesTheFileAsItWas) {
  const std::array<Migration, 2> steps = {
      [](Database& db) { db.execute("CREATE TABLE t (x)"); },
      [](Database& db) { db.execute("CREATE TABLE u (x); CREATE TABLE t (x)"); }};
  Database database(file, Database::Mode::create);
  migrate(database, std::span(steps).first(1));
  EXPECT_NE(storage_error([&] {
              Transaction transaction(database);
              migrate(database, steps);
              transaction.commit();
            }),
            "");
  EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema"), 1);
}

}  // namespace
}  // namespace windrow::storage
