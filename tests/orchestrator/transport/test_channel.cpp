// Frames are lost, and messages are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "orchestrator/transport/channel.h"

namespace windrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Bytes = Channel::Bytes;

// Two channels and the wire between them, which the test may cut.
struct Pair {
  Channel channel[2];
  std::deque<Bytes> wire[2];        // towards channel i
  std::vector<Bytes> delivered[2];  // by channel i

  void put(int from, std::vector<Bytes> frames) {
    for (Bytes& frame : frames) wire[1 - from].push_back(std::move(frame));
  }
  void send(int from, Bytes message) { put(from, channel[from].send(std::move(message))); }
  void beat(int from) { put(from, {channel[from].beat()}); }
  void carry(int to) {  // the next frame
    const Bytes frame = wire[to].front();
    wire[to].pop_front();
    std::vector<Bytes> out;
    EXPECT_TRUE(channel[to].receive(frame, delivered[to], out));
    put(to, out);
  }
  void carry_all() {
    while (!wire[0].empty() || !wire[1].empty())
      for (int to : {0, 1})
        if (!wire[to].empty()) carry(to);
  }
  void cut() { wire[0].clear(), wire[1].clear(); }
};

TEST(Channel, DeliversInOrder) {
  Pair pair;
  pair.send(0, {1});
  pair.send(0, {2});
  pair.send(1, {9});
  pair.carry_all();
  EXPECT_THAT(pair.delivered[1], ElementsAre(Bytes{1}, Bytes{2}));
  EXPECT_THAT(pair.delivered[0], ElementsAre(Bytes{9}));
}

TEST(Channel, WhatACutLostIsSentAgain) {
  Pair pair;
  pair.send(0, {1});
  pair.carry_all();
  pair.send(0, {2});
  pair.send(0, {3});
  pair.cut();
  pair.send(0, {4});
  pair.carry_all();
  EXPECT_THAT(pair.delivered[1], ElementsAre(Bytes{1}, Bytes{2}, Bytes{3}, Bytes{4}));
}

TEST(Channel, TheLastMessageIsMissedByABeat) {
  Pair pair;
  pair.send(0, {1});
  pair.cut();
  pair.beat(0);
  pair.carry_all();
  EXPECT_THAT(pair.delivered[1], ElementsAre(Bytes{1}));
}

TEST(Channel, WhatIsConfirmedIsNotKept) {
  Pair pair;
  for (int i = 0; i < 100; ++i) pair.send(0, {1});
  pair.carry_all();
  EXPECT_EQ(pair.channel[0].unconfirmed(), 100u);
  pair.beat(1);
  pair.carry_all();
  EXPECT_EQ(pair.channel[0].unconfirmed(), 0u);
}

TEST(Channel, WhatIsNoFrameIsRefused) {
  Channel channel;
  std::vector<Bytes> messages, out;
  EXPECT_FALSE(channel.receive(Bytes{}, messages, out));
  EXPECT_FALSE(channel.receive(Bytes(17, 0), messages, out));
  EXPECT_FALSE(channel.receive(Bytes(17, 1), messages, out));  // confirms what was never sent
  EXPECT_THAT(messages, IsEmpty());
}

TEST(Channel, AnyFramesMayBeLostAtAnyTime) {
  std::mt19937 random(7);
  Pair pair;
  std::vector<Bytes> sent[2];
  for (int step = 0; step < 20000; ++step) {
    const int side = static_cast<int>(random() % 2);
    switch (random() % 8) {
      case 0:
      case 1:
        sent[side].push_back({static_cast<std::uint8_t>(step), static_cast<std::uint8_t>(side)});
        pair.send(side, sent[side].back());
        break;
      case 2:
        pair.beat(side);
        break;
      case 3:
        if (random() % 10 == 0) pair.cut();
        break;
      default:
        if (!pair.wire[side].empty()) pair.carry(side);
    }
  }
  for (int round = 0; round < 3; ++round) {
    pair.beat(0);
    pair.beat(1);
    pair.carry_all();
  }
  EXPECT_EQ(pair.delivered[1], sent[0]);
  EXPECT_EQ(pair.delivered[0], sent[1]);
  EXPECT_EQ(pair.channel[0].unconfirmed() + pair.channel[1].unconfirmed(), 0u);
}

}  // namespace
}  // namespace windrow
