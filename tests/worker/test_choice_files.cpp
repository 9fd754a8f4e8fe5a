// Trials of task choice-sets on files; sweeps/data/ and its tests know the formats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/worker/support.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;
using protocol::TrainerFailure;
using testing::HasSubstr;

class ChoiceFileTrial : public testing::Test {
 protected:
  ChoiceFileTrial() {
    write("train.csv", 40, 0.25);
    write("test.csv", 20, 0.3);
  }

  // Sets of two items of one feature, of which the first is chosen.
  void write(const std::string& name, int sets, double step) {
    std::ofstream file(folder_.path() / name);
    for (int i = 0; i < sets; ++i) file << 1 + i % 7 * step << "," << -1 - i % 3 * step << ",0\n";
  }

  protocol::Start start(int epochs) {
    protocol::Start start = test::small_choice_sets(epochs);
    start.parameters["items"] = 2;
    start.parameters["train_file"] = "train.csv";
    start.parameters["test_file"] = "test.csv";
    start.data_dir = folder_.path().string();
    return start;
  }

  std::vector<protocol::Failed> failures(const protocol::Start& start) {
    test::Messages messages;
    return test::run(start, data_, messages).of<protocol::Failed>();
  }

  test::TemporaryFolder folder_;
  DataCache data_;
};

TEST_F(ChoiceFileTrial, TrainsAndSaysWhatItTrainedOn) {
  test::Messages messages;
  protocol::Start long_enough = start(100);
  long_enough.parameters["batch"] = 6;
  long_enough.parameters["lr"] = 0.01;
  test::run(long_enough, data_, messages);
  ASSERT_EQ(messages.of<protocol::Finished>().size(), 1u);
  const protocol::Metrics result = messages.of<protocol::Finished>()[0].result;
  EXPECT_LT(result.at("test_mse"), 0.1) << "1/2 scores 0.25";
  const protocol::Json info = messages.of<protocol::Started>().at(0).info;
  EXPECT_EQ(info["data"]["training"]["sets"], 40);
  EXPECT_EQ(info["data"]["test"]["features"], 1);
  EXPECT_EQ(info["parameters"], 2 * 6 + 6 + 2 * 6 + 1);
}

TEST_F(ChoiceFileTrial, ReadsItsFilesOnceAProcess) {
  test::Messages first, second, third;
  test::run(start(1), data_, first);
  const fs::path file = folder_.path() / "train.csv";
  const auto written = fs::last_write_time(file);
  const auto size = fs::file_size(file);
  std::ofstream(file) << std::string(size, 'x');  // would be refused
  fs::last_write_time(file, written);
  test::run(start(1), data_, second);
  ASSERT_EQ(second.of<protocol::Finished>().size(), 1u);
  EXPECT_EQ(first.of<protocol::Finished>()[0].result, second.of<protocol::Finished>()[0].result);
  fs::last_write_time(file, written + std::chrono::seconds(1));
  test::run(start(1), data_, third);
  EXPECT_EQ(third.of<protocol::Failed>().size(), 1u) << "a file that was written anew is read anew";
}

TEST_F(ChoiceFileTrial, FailsWithKindDataOfBadFiles) {
  std::ofstream(folder_.path() / "test.csv", std::ios::app) << "1,nan,0\n";
  auto failed = failures(start(1));
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].kind, TrainerFailure::data);
  EXPECT_THAT(failed[0].message, HasSubstr("test.csv:21: column 2 is nan"));
  fs::remove(folder_.path() / "test.csv");
  failed = failures(start(1));
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].kind, TrainerFailure::data);
}

TEST_F(ChoiceFileTrial, DoesNotGoOnWithOtherSets) {
  const test::TemporaryFolder checkpoints;
  protocol::Start begun = start(2);
  begun.checkpoint_dir = checkpoints.path().string();
  EXPECT_TRUE(failures(begun).empty());
  EXPECT_TRUE(failures(begun).empty()) << "the same sets go on";
  write("train.csv", 41, 0.25);
  const auto failed = failures(begun);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].kind, TrainerFailure::data);
  EXPECT_THAT(failed[0].message, HasSubstr("data files have changed since epoch 2"));
}

}  // namespace
}  // namespace windrow::worker
