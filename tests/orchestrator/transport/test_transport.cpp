// The transport over links that are queues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "orchestrator/transport/transport.h"

namespace windrow {
namespace {

using namespace protocol;
using testing::ElementsAre;
using testing::IsEmpty;

// What all ranks of a test share: frames on their way, and who has ended MPI.
struct World {
  struct Frame {
    int from, to;
    std::vector<std::uint8_t> bytes;
  };
  std::deque<Frame> frames;
  std::vector<int> finished, forgotten;
};

class FakeLink : public Link {
 public:
  FakeLink(World& world, int rank, int size) : world_(world), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  LocalShare local_share(std::uint64_t) override { return {}; }
  void send(int rank, std::vector<std::uint8_t> bytes) override {
    world_.frames.push_back({rank_, rank, std::move(bytes)});
  }
  bool receive(int& rank, std::vector<std::uint8_t>& bytes) override {
    for (auto frame = world_.frames.begin(); frame != world_.frames.end(); ++frame) {
      if (frame->to != rank_) continue;
      rank = frame->from;
      bytes = std::move(frame->bytes);
      world_.frames.erase(frame);
      return true;
    }
    return false;
  }
  void forget(int rank) override { world_.forgotten.push_back(rank); }
  void finish() override { world_.finished.push_back(rank_); }

 private:
  World& world_;
  int rank_, size_;
};

class TransportTest : public testing::Test {
 protected:
  Transport rank(int number, int size = 2) {
    return Transport(std::make_unique<FakeLink>(world_, number, size));
  }
  // What the rank is told; to the coordinator as "RANK: Goodbye's reason".
  Transport::Delivered deliver(Transport& transport) {
    return transport.deliver(
        [&](ToAgent message) {
          if (const auto* leave = std::get_if<Leave>(&message)) told_.push_back(leave->error);
        },
        [&](AgentId from, FromAgent message) {
          if (const auto* goodbye = std::get_if<Goodbye>(&message))
            told_.push_back(std::to_string(from.value) + ": " + goodbye->reason);
        });
  }

  static constexpr std::chrono::milliseconds kSoon{20};
  World world_;
  std::vector<std::string> told_;
};

TEST_F(TransportTest, MessagesArriveInOrderOverTheLinkAndWithinTheProcess) {
  Transport head = rank(0), other = rank(1);
  head.send_to_agent(AgentId{1}, Leave{"a"});
  head.send_to_agent(AgentId{1}, Leave{"b"});
  head.send_to_agent(AgentId{0}, Leave{"own"});
  EXPECT_TRUE(head.has_own_mail());
  deliver(head);
  deliver(other);
  EXPECT_THAT(told_, ElementsAre("own", "a", "b"));
  other.send_to_coordinator(Goodbye{"c"});
  deliver(head);
  EXPECT_EQ(told_.back(), "1: c");
}

// A loop that only reads mail reads no pipes, minds no time.
TEST_F(TransportTest, AFloodIsDeliveredInPortionsAndSaysSo) {
  Transport head = rank(0), other = rank(1);
  for (int i = 0; i < 300; ++i) other.send_to_coordinator(Goodbye{"x"});
  EXPECT_FALSE(deliver(head).drained);
  EXPECT_LT(told_.size(), 300u);
  EXPECT_TRUE(deliver(head).drained);
  EXPECT_EQ(told_.size(), 300u);
}

TEST_F(TransportTest, OwnMailThatBringsMoreOwnMailIsBounded) {
  Transport alone;
  alone.send_to_coordinator(Goodbye{"x"});
  int handled = 0;
  const auto delivered = alone.deliver([](ToAgent) {},
                                       [&](AgentId, FromAgent) {
                                         ++handled;
                                         alone.send_to_coordinator(Goodbye{"x"});
                                       });
  EXPECT_LT(handled, 1000);
  EXPECT_FALSE(delivered.drained);
}

TEST_F(TransportTest, ALinkIsEndedWhereAllLive) {
  Transport head = rank(0), other = rank(1);
  EXPECT_TRUE(head.finish(kSoon));
  EXPECT_TRUE(other.finish(kSoon));
  EXPECT_THAT(world_.finished, ElementsAre(0, 1));
}

TEST_F(TransportTest, WithADeadRankNobodyWaitsInTheEndOfTheLink) {
  Transport head = rank(0, 3), other = rank(1, 3);
  head.lose(2);
  head.send_to_agent(AgentId{2}, Leave{"nobody hears"});
  EXPECT_THAT(world_.frames, IsEmpty());
  EXPECT_THAT(world_.forgotten, ElementsAre(2));
  EXPECT_FALSE(head.finish(kSoon));
  EXPECT_FALSE(other.finish(kSoon));
  EXPECT_THAT(world_.finished, IsEmpty());
}

TEST_F(TransportTest, WithoutRankZerosWordTheOthersLeaveAfterAWhile) {
  Transport other = rank(1);
  EXPECT_FALSE(other.finish(kSoon));
  Transport knows = rank(1);
  knows.lose(0);
  EXPECT_FALSE(knows.finish(std::chrono::hours(1)));
}

}  // namespace
}  // namespace windrow
