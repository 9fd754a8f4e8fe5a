// Which trials a study has by now.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/coordinator/study_progress.h"
#include "support.h"

namespace windrow {
namespace {

using protocol::FailureKind;
using storage::TrialState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kTwoStages = R"(stages:
  first: {grid: {lr: [0.1, 0.2, 0.3]}}
  second:
    grid: {width: [8, 16]}
    best: {of: first, by: loss, goal: min}
)";

class StudyProgressTest : public testing::Test {
 protected:
  explicit StudyProgressTest() = default;
  StudyProgress& begin(const std::string& study) {
    study_ = own_study(study);
    return progress_.emplace(study_, store_);
  }
  std::vector<storage::StoredTrial> expand() {
    progress_->begin_expand();
    std::optional<std::vector<storage::StoredTrial>> added;
    poll_until("the expansion", [&] { return (added = progress_->poll()).has_value(); });
    return *added;
  }
  void finish(TrialId trial, double loss) {
    store_.record(storage::AttemptBegan{.trial = trial, .attempt = 1});
    store_.record(storage::AttemptFinished{
        {.trial = trial, .attempt = 1, .epochs = 0, .result = {{"loss", loss}}}, 0});
    progress_->on_trial_over(trial, TrialState::finished);
  }

  StoreFolder folder_;
  storage::Store store_{folder_.file()};
  sweeps::Study study_;
  std::optional<StudyProgress> progress_;
};

TEST_F(StudyProgressTest, AStageComesWhenTheOneItSelectsFromIsOver) {
  StudyProgress& progress = begin(kTwoStages);
  const auto first = expand();
  ASSERT_THAT(first, SizeIs(3));
  EXPECT_THAT(progress.waiting_stages(), SizeIs(1));
  finish(first[0].id, 3);
  finish(first[1].id, 1);
  finish(first[2].id, 2);
  const auto second = expand();
  ASSERT_THAT(second, SizeIs(2));
  EXPECT_EQ(progress.cell(progress.trial(second[0].id)).parameters["lr"], 0.2);
  EXPECT_THAT(progress.waiting_stages(), IsEmpty());
}

// The best cell may be among those that the machine failed.
TEST_F(StudyProgressTest, TrialsThatRunCountByTheirEpochs) {
  begin("parameters: {epochs: 4}\ngrid: {x: [1, 2]}\n");
  const auto trials = expand();
  EXPECT_EQ(progress_->trials_done(), 0);
  progress_->on_epoch(trials[0].id, 1);
  progress_->on_epoch(trials[0].id, 3);
  progress_->on_epoch(trials[0].id, 2);  // told again
  EXPECT_DOUBLE_EQ(progress_->trials_done(), 0.75);
  finish(trials[0].id, 1);
  progress_->on_epoch(trials[1].id, 9);  // more than the parameters say
  EXPECT_DOUBLE_EQ(progress_->trials_done(), 2);
}

TEST_F(StudyProgressTest, NothingIsSelectedFromAStageThatTheMachineFailed) {
  StudyProgress& progress = begin(kTwoStages);
  const auto first = expand();
  finish(first[0].id, 3);
  finish(first[1].id, 1);
  EXPECT_TRUE(progress.on_trial_over(first[2].id, TrialState::failed, FailureKind::crash));
  EXPECT_THAT(expand(), IsEmpty());
  EXPECT_THAT(progress.waiting_stages().at("second"), HasSubstr("crash"));
}

TEST_F(StudyProgressTest, UnlessTheStudySaysDespite) {
  begin(R"(stages:
  first: {grid: {lr: [0.1, 0.2]}}
  second:
    grid: {width: [8]}
    best: {of: first, by: loss, goal: min, despite: [crash]}
)");
  const auto first = expand();
  finish(first[0].id, 3);
  progress_->on_trial_over(first[1].id, TrialState::failed, FailureKind::crash);
  EXPECT_THAT(expand(), SizeIs(1));
}

// Not a number is a property of the cell, as any other result is.
TEST_F(StudyProgressTest, ACellThatDivergedIsNoReasonToWait) {
  begin(kTwoStages);
  const auto first = expand();
  finish(first[0].id, 3);
  finish(first[1].id, 1);
  progress_->on_trial_over(first[2].id, TrialState::failed, FailureKind::nan);
  EXPECT_THAT(expand(), SizeIs(2));
}

TEST_F(StudyProgressTest, CountsFollowAResultThatCouldNotBeStored) {
  StudyProgress& progress = begin("grid: {x: [1, 2]}\n");
  const auto trials = expand();
  progress.on_trial_over(trials[0].id, TrialState::finished);
  progress.on_trial_over(trials[0].id, TrialState::failed, FailureKind::spec);
  EXPECT_EQ(progress.count(TrialState::finished), 0);
  EXPECT_EQ(progress.count(TrialState::failed), 1);
  EXPECT_EQ(progress.count(TrialState::pending), 1);
}

}  // namespace
}  // namespace windrow
