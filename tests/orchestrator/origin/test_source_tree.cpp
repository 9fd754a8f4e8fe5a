// What git says of the code, where there is a git and a repository.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.h"
#include "orchestrator/origin/source_tree.h"
#include "orchestrator/process/program.h"

namespace windrow::origin {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

class SourceTreeTest : public FilesTest {
 protected:
  void SetUp() override {
    if (!find_program("git")) GTEST_SKIP() << "no git";
  }
  void git(std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", folder_});
    ASSERT_EQ(run_program(words, "").exit_code, 0);
  }
  void commit() {
    git({"init", "-q"});
    git({"add", "."});
    git({"commit", "-q", "-m", "first"});
  }
};

TEST_F(SourceTreeTest, ACleanTreeIsItsCommit) {
  write("train.py", "one\n");
  commit();
  const SourceTree tree = read_source_tree(folder_);
  EXPECT_THAT(tree.commit, MatchesRegex("[0-9a-f]+"));
  EXPECT_THAT(tree.commit, SizeIs(40));
  EXPECT_FALSE(tree.dirty);
  EXPECT_EQ(tree.diff, "");
}

TEST_F(SourceTreeTest, WhatIsNotCommittedIsKept) {
  write("src/train.py", "one\n");
  commit();
  write("src/train.py", "two\n");
  write("src/new.py", "three\n");
  const SourceTree tree = read_source_tree(folder_ / "src");
  EXPECT_TRUE(tree.dirty);
  EXPECT_THAT(tree.diff, AllOf(HasSubstr("-one\n+two\n"), HasSubstr("not tracked: src/new.py\n"),
                               Not(HasSubstr("three"))));
}

TEST_F(SourceTreeTest, ALongDiffIsCut) {
  write("train.py", "one\n");
  commit();
  write("train.py", std::string(2 * kLongestDiff, 'x') + "\n");
  const SourceTree tree = read_source_tree(folder_);
  EXPECT_TRUE(tree.dirty);
  EXPECT_THAT(tree.diff, SizeIs(kLongestDiff + 7));
  EXPECT_TRUE(tree.diff.ends_with("\n(cut)\n"));
}

TEST_F(SourceTreeTest, WithoutARepositoryNothingIsKnown) {
  const SourceTree tree = read_source_tree(folder_);
  EXPECT_EQ(tree.commit, "");
  EXPECT_FALSE(tree.dirty);
}

}  // namespace
}  // namespace windrow::origin
