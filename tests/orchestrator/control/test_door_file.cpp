// Where workers find a run, and who may.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "orchestrator/control/door_file.h"
#include "temporary_folder.h"

namespace windrow::control {
namespace {

TEST(DoorFile, IsForItsOwnerOnlyAndSaysWhatWasWritten) {
  const storage::TemporaryFolder folder;
  const auto file = door_file(folder / "w.db");
  EXPECT_EQ(read_door_file(file), std::nullopt);
  const DoorCard card{"n1", {"10.0.0.1", "127.0.0.1"}, 4711, "s", "c", "secret", "/home/\"me\""};
  std::ofstream(file) << "of an earlier run, for everybody";
  write_door_file(file, card);
  EXPECT_EQ(read_door_file(file), card);
  struct stat facts {};
  stat(file.c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(DoorFile, OneOfAnotherFormIsRefused) {
  const storage::TemporaryFolder folder;
  const auto file = door_file(folder / "w.db");
  std::ofstream(file) << "{\"host\": 7}";
  EXPECT_THROW(read_door_file(file), std::runtime_error);
}

}  // namespace
}  // namespace windrow::control
