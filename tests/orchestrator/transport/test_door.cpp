// The door: guests that know the key get in, and nobody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "orchestrator/transport/door.h"

namespace windrow {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Bytes = std::vector<std::uint8_t>;
using namespace std::chrono_literals;

class DoorTest : public testing::Test {
 protected:
  DoorTest() : door_(open_door(0)), card_(door_->keys()) { card_.addresses = {"127.0.0.1"}; }
  // What has come to the run within the time; as many messages as wanted end it.
  std::vector<Bytes> come(std::size_t wanted, std::chrono::milliseconds limit, Link* guest) {
    std::vector<Bytes> all;
    const auto end = std::chrono::steady_clock::now() + limit;
    while (all.size() < wanted && std::chrono::steady_clock::now() < end) {
      Bytes bytes;
      int from = 0;
      if (door_->receive(guest_, bytes)) all.push_back(bytes);
      if (guest != nullptr) guest->receive(from, bytes);
      std::this_thread::sleep_for(1ms);
    }
    return all;
  }

  std::unique_ptr<Door> door_;
  DoorCard card_;
  std::string guest_;
};

TEST_F(DoorTest, MessagesGoBothWays) {
  const auto guest = join_door(card_, "127.0.0.1");
  guest->send(0, {1, 2});
  guest->send(0, {3});
  EXPECT_EQ(come(2, 20s, nullptr), (std::vector<Bytes>{{1, 2}, {3}}));
  door_->send(guest_, {4});
  Bytes answer;
  int from = 7;
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!guest->receive(from, answer) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(answer, Bytes{4});
  EXPECT_EQ(from, 0);
}

TEST_F(DoorTest, WithoutTheKeyNobodyGetsIn) {
  const auto other = open_door(0);
  DoorCard wrong = card_;
  wrong.client_key = other->keys().client_key;
  wrong.client_secret = other->keys().client_secret;
  const auto stranger = join_door(wrong, "127.0.0.1");
  stranger->send(0, {6});
  EXPECT_THAT(come(1, 1500ms, stranger.get()), SizeIs(0));
  const auto guest = join_door(card_, "127.0.0.1");
  guest->send(0, {1});
  EXPECT_EQ(come(1, 20s, guest.get()), (std::vector<Bytes>{{1}}));
}

TEST_F(DoorTest, WhoIsForgottenIsHeardNoMore) {
  const auto guest = join_door(card_, "127.0.0.1");
  guest->send(0, {1});
  EXPECT_THAT(come(1, 20s, guest.get()), SizeIs(1));
  door_->forget(guest_);
  guest->send(0, {2});
  EXPECT_THAT(come(1, 500ms, guest.get()), SizeIs(0));
}

TEST_F(DoorTest, ATakenPortIsRefused) {
  try {
    open_door(card_.port);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("port " + std::to_string(card_.port)));
  }
}

TEST_F(DoorTest, TheAddressIsOneWhereSomebodyListens) {
  card_.addresses = {"127.0.0.1"};
  EXPECT_EQ(reachable_address(card_, 5), "127.0.0.1");
  card_.port = 1;  // nobody does
  EXPECT_EQ(reachable_address(card_, 5), "");
  EXPECT_FALSE(own_addresses().empty());
}

}  // namespace
}  // namespace windrow
