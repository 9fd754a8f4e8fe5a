#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "protocol/lines.h"
#include "tests/protocol/samples.h"

namespace windrow::protocol {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Lines, EveryMessageToATrainerSurvivesTheRoundTripOnOneLine) {
  for (const ToTrainer& message : samples::to_trainer()) {
    const std::string line = to_line(message);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(parse_to_trainer(line), message) << line;
  }
}

TEST(Lines, EveryMessageFromATrainerSurvivesTheRoundTripOnOneLine) {
  for (const FromTrainer& message : samples::from_trainer()) {
    const std::string line = to_line(message);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(parse_from_trainer(line), message) << line;
  }
}

TEST(Lines, NumbersSurviveBitForBit) {
  Epoch epoch{TrialId{1}, 1, 1, {{"a", 0.1 + 0.2}, {"b", 4.9406564584124654e-324}}, 1.0 / 3};
  EXPECT_EQ(std::get<Epoch>(*parse_from_trainer(to_line(FromTrainer{epoch}))), epoch);
}

TEST(Lines, WhatIsNoMessageIsLogText) {
  for (const char* line : {"", "Epoch 1/5", "{not json", "[1]", "{\"epoch\": 1}", "{\"event\": 3}"})
    EXPECT_EQ(parse_from_trainer(line), std::nullopt) << line;
}

TEST(Lines, ADamagedMessageNamesItsKeyAndValue) {
  EXPECT_THAT([] { parse_from_trainer(R"({"event":"epoch","trial":1,"epoch":2})"); },
              ThrowsMessage<ProtocolError>(HasSubstr("\"attempt\" is missing")));
  EXPECT_THAT(
      [] { parse_from_trainer(R"({"event":"epoch","trial":1,"attempt":1,"epoch":"two"})"); },
      ThrowsMessage<ProtocolError>(HasSubstr("epoch.epoch: an integer is needed, got \"two\"")));
  EXPECT_THAT([] { parse_from_trainer(R"({"event":"explode"})"); },
              ThrowsMessage<ProtocolError>(HasSubstr("unknown event \"explode\"")));
  EXPECT_THAT(
      [] { parse_from_trainer(R"({"event":"failed","trial":1,"attempt":1,"kind":"bad"})"); },
      ThrowsMessage<ProtocolError>(HasSubstr("one of nan, oom")));
}

TEST(Lines, NaNIsReadAsPythonAndJsonWriteIt) {
  const auto python = parse_from_trainer(
      R"({"event":"epoch","trial":1,"attempt":1,"epoch":1,"metrics":{"NaN":NaN,"b":-Infinity,"c":1}})");
  const auto& metrics = std::get<Epoch>(*python).metrics;
  EXPECT_TRUE(std::isnan(metrics.at("NaN")));
  EXPECT_TRUE(std::isnan(metrics.at("b")));
  EXPECT_EQ(metrics.at("c"), 1);
  Epoch epoch{TrialId{1}, 1, 1, {{"loss", std::nan("")}}};
  const auto back = parse_from_trainer(to_line(FromTrainer{epoch}));
  EXPECT_TRUE(std::isnan(std::get<Epoch>(*back).metrics.at("loss")));
}

TEST(Lines, TheShorthandTakesEveryNumberAsAMetric) {
  const auto epoch = parse_epoch_shorthand(
      R"({"epoch": 3, "loss": 0.5, "acc": NaN, "note": "x", "wall_seconds": 2})");
  ASSERT_TRUE(epoch);
  EXPECT_EQ(epoch->epoch, 3);
  EXPECT_EQ(epoch->wall_seconds, 2);
  EXPECT_EQ(epoch->metrics.size(), 2u);
  EXPECT_EQ(epoch->metrics.at("loss"), 0.5);
  EXPECT_TRUE(std::isnan(epoch->metrics.at("acc")));
  EXPECT_EQ(parse_epoch_shorthand("epoch 3"), std::nullopt);
  EXPECT_EQ(parse_epoch_shorthand(R"({"loss": 0.5})"), std::nullopt);
  EXPECT_EQ(parse_epoch_shorthand(R"({"epoch": 1.5})"), std::nullopt);
}

TEST(Lines, InvalidUtf8DoesNotCostTheMessage) {
  const std::string line = to_line(FromTrainer{Log{"info", "caf\xe9"}});
  EXPECT_THAT(std::get<Log>(*parse_from_trainer(line)).text, HasSubstr("caf"));
}

}  // namespace
}  // namespace windrow::protocol
