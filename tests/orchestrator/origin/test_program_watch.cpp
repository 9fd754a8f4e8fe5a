// A program is known by its command and the contents of its files, and what changes is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.h"
#include "orchestrator/origin/program_watch.h"
#include "protocol/program.h"

namespace windrow::origin {
namespace {

using protocol::difference;
using protocol::Program;

class ProgramWatchTest : public FilesTest {
 protected:
  ProgramWatch watch(std::vector<std::string> command = {"python3", "train.py"}) {
    return {{.command = std::move(command)}, folder_};
  }
};

TEST_F(ProgramWatchTest, AnEditIsSeenAndNamed) {
  write("train.py", "import model\n");
  write("model.py", "x = 1\n");
  ProgramWatch watched = watch();
  const Program before = watched.now();
  EXPECT_EQ(watched.now(), before);
  write("model.py", "x = 2\n");
  const Program after = watched.now();
  EXPECT_NE(after.hash, before.hash);
  EXPECT_EQ(difference(before, after), "model.py differs");
  write("model.py", "x = 1\n");
  EXPECT_EQ(watched.now(), before);  // the content counts, not the time
}

TEST_F(ProgramWatchTest, FilesThatComeAndGo) {
  write("train.py", "\n");
  write("model.py", "\n");
  ProgramWatch watched = watch();
  const Program before = watched.now();
  write("train.py", "import model\n");
  const Program after = watched.now();
  EXPECT_EQ(difference(before, after), "model.py is new, train.py differs");
  EXPECT_EQ(difference(after, before), "train.py differs, model.py is gone");
}

TEST_F(ProgramWatchTest, AnotherCommandIsAnotherProgram) {
  write("train.py");
  EXPECT_EQ(difference(watch().now(), watch({"python3", "train.py", "--fast"}).now()),
            "the command was `python3 train.py` and is `python3 train.py --fast`");
}

TEST_F(ProgramWatchTest, TheSameInAnotherFolderIsTheSame) {
  write("a/train.py");
  write("b/train.py");
  const protocol::TrainerSettings trainer{.command = {"python3", "train.py"}};
  EXPECT_EQ(ProgramWatch(trainer, folder_ / "a").now(), ProgramWatch(trainer, folder_ / "b").now());
}

TEST_F(ProgramWatchTest, TheShippedTrainerIsKnownByItsContentWhereverItIs) {
  write("a/windrow-trainer", "one");
  write("b/windrow-trainer", "one");
  const auto program = [&](const std::string& place) {
    return ProgramWatch({.command = {folder_ / place / "windrow-trainer"}}, folder_, true).now();
  };
  EXPECT_EQ(program("a"), program("b"));
  write("b/windrow-trainer", "another");
  EXPECT_EQ(difference(program("a"), program("b")), "windrow-trainer differs");
}

TEST_F(ProgramWatchTest, WhatDiffersInManyFilesIsCounted) {
  Program before, after;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) after.files[name] = "1";
  EXPECT_EQ(difference(before, after),
            "a is new, b is new, c is new, d is new, e is new and 2 more");
}

}  // namespace
}  // namespace windrow::origin
