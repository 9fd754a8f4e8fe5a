// A copy of a database must not train in the original's folder; one that was moved goes on there.
#include <gtest/gtest.h>

#include <fstream>

#include "orchestrator/session/checkpoint_owner.h"
#include "storage/database.h"
#include "storage/store.h"
#include "tests/storage/temporary_folder.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

using storage::TemporaryFolder;

class CheckpointOwner : public ::testing::Test {
 protected:
  void SetUp() override {
    { const storage::Store store(database); }
    own_checkpoints(database, root);
  }

  TemporaryFolder folder;
  const fs::path database = folder / "w.db", copy = folder / "copy.db";
  const fs::path root = folder / "checkpoints" / "id";
};

TEST_F(CheckpointOwner, ItIsNoCopyOfItself) {
  EXPECT_FALSE(original_of(database, root));
  fs::create_symlink(database, copy);
  EXPECT_FALSE(original_of(copy, root));
}

TEST_F(CheckpointOwner, ACopyIsTold) {
  fs::copy_file(database, copy);
  EXPECT_EQ(original_of(copy, root), fs::canonical(database));
  own_checkpoints(copy, folder / "checkpoints" / "other");
  EXPECT_EQ(original_of(copy, root), fs::canonical(database));
}

TEST_F(CheckpointOwner, AMovedDatabaseGoesOnWithItsCheckpoints) {
  fs::rename(database, copy);
  EXPECT_FALSE(original_of(copy, root));
  own_checkpoints(copy, root);
  fs::copy_file(copy, database);
  EXPECT_EQ(original_of(database, root), fs::canonical(copy));
}

TEST_F(CheckpointOwner, CheckpointsThatWereCopiedTooAreTheCopys) {
  fs::copy_file(database, copy);
  const fs::path copied = folder / "copy" / "id";
  fs::create_directories(copied.parent_path());
  fs::copy(root, copied, fs::copy_options::recursive);
  EXPECT_FALSE(original_of(copy, copied));
}

TEST_F(CheckpointOwner, AnotherDatabaseThatTookTheNameIsNoOriginal) {
  fs::rename(database, copy);
  { const storage::Store another(database); }
  EXPECT_FALSE(original_of(copy, root));
  std::ofstream(database) << "no database";
  EXPECT_FALSE(original_of(copy, root));
}

TEST_F(CheckpointOwner, AnOriginalThatCantBeReadIsStillThere) {
  fs::copy_file(database, copy);
  storage::Database(database, storage::Database::Mode::existing)
      .execute("PRAGMA user_version = 1000000");  // of a newer windrow
  EXPECT_EQ(original_of(copy, root), fs::canonical(database));
}

TEST_F(CheckpointOwner, AFolderThatCantBeWrittenIsSaid) {
  std::ofstream(folder / "file") << "in the way\n";
  try {
    own_checkpoints(database, folder / "file");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("name another folder with --checkpoints"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace windrow
