// The agent by its messages; its trainers are fake ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/agent/agent.h"
#include "orchestrator/agent/local_host.h"

namespace windrow {
namespace {

using namespace protocol;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    agent_.emplace(
        host_, AgentOptions{.host = "n1", .slots = {{"cpu", 1}, {"cpu", 1}}, .welcome_seconds = 5},
        [this] { return now_; }, [this](FromAgent message) { sent_.push_back(std::move(message)); },
        [this](const std::string&, const std::string& text) { log_ += text + "\n"; });
    agent_->say_hello();
  }
  void welcome(double lost_seconds = 0) {
    agent_->on_message(Welcome{.slots = {SlotId{4}, SlotId{7}},
                               .trainer = {.command = {FAKE_TRAINER}, .persistent = true},
                               .lost_seconds = lost_seconds});
  }
  void assign(SlotId slot, int trial, int epochs, int epoch_ms = 0) {
    agent_->on_message(
        Assign{slot,
               {.trial = TrialId{trial},
                .parameters = {{"epochs", epochs}, {"x", 1}, {"epoch_ms", epoch_ms}}}});
  }
  template <class Message>
  std::vector<Message> of() const {
    std::vector<Message> found;
    for (const FromAgent& message : sent_)
      if (const auto* one = std::get_if<Message>(&message)) found.push_back(*one);
    return found;
  }
  void run_until(const std::string& what, const std::function<bool()>& condition) {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (Clock::now() > deadline) throw std::runtime_error("never: " + what);
      loop_.run_once(std::chrono::milliseconds(10));
      agent_->tick(true);
    }
  }
  void pass(double seconds, bool mail_read = true) {
    now_ += std::chrono::duration_cast<slot::Time::duration>(slot::Seconds(seconds));
    agent_->tick(mail_read);
  }

  EventLoop loop_;
  LocalHost host_{loop_};
  slot::Time now_{};
  std::vector<FromAgent> sent_;
  std::string log_;
  std::optional<Agent> agent_;
};

TEST_F(AgentTest, SaysWhatItHasAndRunsWhatItIsGiven) {
  ASSERT_THAT(of<Hello>(), SizeIs(1));
  EXPECT_EQ(of<Hello>()[0].host, "n1");
  EXPECT_THAT(of<Hello>()[0].slots, SizeIs(2));
  welcome();
  assign(SlotId{7}, 3, 2);
  run_until("the trial's end", [&] { return !of<AttemptFinished>().empty(); });
  EXPECT_EQ(of<AttemptFinished>()[0].slot, SlotId{7});
  EXPECT_EQ(of<AttemptFinished>()[0].finished.trial, TrialId{3});
  EXPECT_THAT(of<AttemptEpoch>(), SizeIs(2));
  agent_->on_message(Leave{});
  run_until("goodbye", [&] { return agent_->gone(); });
  EXPECT_EQ(of<Goodbye>()[0].reason, "");
}

TEST_F(AgentTest, WithoutAWelcomeItLeaves) {
  pass(6);
  EXPECT_TRUE(agent_->gone());
  EXPECT_TRUE(agent_->lost_coordinator());
}

// What has arrived is read before silence is judged.
TEST_F(AgentTest, ASilentCoordinatorIsTakenForDead) {
  welcome(10);
  pass(9);
  EXPECT_FALSE(agent_->gone());
  EXPECT_THAT(of<AgentHeartbeat>(), Not(IsEmpty()));
  pass(2, false);
  EXPECT_FALSE(agent_->gone());
  pass(0);
  EXPECT_TRUE(agent_->gone());
  EXPECT_THAT(agent_->error(), HasSubstr("has not been heard of for 11 s"));
}

// Which would else take what comes back for a fault of the slot's.
TEST_F(AgentTest, ARankThatTakesTheCoordinatorForDeadClosesItsSlotsBeforeItGivesBack) {
  welcome(10);
  assign(SlotId{4}, 1, 1000, 60000);
  assign(SlotId{4}, 2, 1);
  run_until("the start", [&] { return !of<AttemptStarted>().empty(); });
  sent_.clear();
  pass(11);
  ASSERT_THAT(of<SlotClosing>(), SizeIs(2));
  ASSERT_THAT(of<Withdrawn>(), SizeIs(1));
  const auto place = [&]<class Message>(std::type_identity<Message>) {
    return std::ranges::find_if(
        sent_, [](const FromAgent& message) { return std::holds_alternative<Message>(message); });
  };
  EXPECT_LT(place(std::type_identity<SlotClosing>{}), place(std::type_identity<Withdrawn>{}));
}

// Rank 0, which was only paused, would give its trials to others.
TEST_F(AgentTest, ARankThatWaitsForItsTrainersToEndIsHeardOf) {
  welcome(10);
  assign(SlotId{4}, 1, 1000, 60000);
  run_until("the start", [&] { return !of<AttemptStarted>().empty(); });
  agent_->on_message(Leave{"the coordinator can't go on"});
  sent_.clear();
  pass(2);
  EXPECT_FALSE(agent_->gone());
  EXPECT_THAT(of<AgentHeartbeat>(), SizeIs(1));
}

TEST_F(AgentTest, ASignalledRankStopsItsOwnSlotsWithoutAskingRankZero) {
  welcome();
  assign(SlotId{4}, 1, 1000, 10);
  assign(SlotId{4}, 2, 1000, 10);
  run_until("an epoch", [&] { return !of<AttemptEpoch>().empty(); });
  agent_->stop(false);
  ASSERT_THAT(of<Withdrawn>(), SizeIs(1));
  EXPECT_EQ(of<Withdrawn>()[0].trial, TrialId{2});
  run_until("the stop", [&] { return !of<AttemptFailed>().empty(); });
  EXPECT_EQ(of<AttemptFailed>()[0].kind, FailureKind::preempted);
  assign(SlotId{7}, 3, 1);  // it was on its way
  EXPECT_THAT(of<Withdrawn>(), SizeIs(2));
}

TEST_F(AgentTest, AProgramThatIsNotThereFailsBeforeItIsReady) {
  agent_->on_message(Welcome{.slots = {SlotId{4}, SlotId{7}},
                             .trainer = {.command = {"no-such-program"}, .persistent = true}});
  assign(SlotId{4}, 1, 1);
  run_until("the failure", [&] { return !of<AttemptFailed>().empty(); });
  EXPECT_EQ(of<AttemptFailed>()[0].reached, Reached::nothing);
  EXPECT_THAT(of<AttemptFailed>()[0].message, HasSubstr("no-such-program"));
}

}  // namespace
}  // namespace windrow
