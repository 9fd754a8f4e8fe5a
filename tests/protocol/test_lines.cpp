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
  for (const char* much : {"2147483648", "-2147483649"})
    EXPECT_THAT(
        [&] {
          parse_from_trainer(std::string(R"({"event":"epoch","trial":3,"attempt":1,"epoch":)") +
                             much + R"(,"metrics":{}})");
        },
        ThrowsMessage<ProtocolError>(HasSubstr("epoch.epoch: an integer of 32 bits is needed")));
  EXPECT_THAT(
      [] { parse_from_trainer(R"({"event":"epoch","trial":3,"attempt":1,"epoch":{"a":[1,2]}})"); },
      ThrowsMessage<ProtocolError>(HasSubstr(R"(got {"a":[1,2]})")));
  EXPECT_THAT([] { parse_from_trainer(R"({"event":"explode"})"); },
              ThrowsMessage<ProtocolError>(HasSubstr("unknown event \"explode\"")));
  EXPECT_THAT(
      [] { parse_from_trainer(R"({"event":"failed","trial":1,"attempt":1,"kind":"bad"})"); },
      ThrowsMessage<ProtocolError>(HasSubstr("one of nan, oom")));
}

TEST(Lines, AGoalIsMinOrMax) {
  for (const char* goal : {"min", "max"})
    EXPECT_EQ(early_stopping_from_json({{"metric", "loss"}, {"goal", goal}}).goal,
              std::string(goal) == "min" ? Goal::minimize : Goal::maximize);
  for (const char* goal : {"", "least", "mimimum", "most"})
    EXPECT_THAT(
        [&] {
          early_stopping_from_json({{"metric", "loss"}, {"goal", goal}});
        },
        ThrowsMessage<ProtocolError>(HasSubstr("\"min\" or \"max\" is needed")))
        << goal;
}

TEST(Lines, WhatATrainerIsToldMustBeAMessage) {
  EXPECT_THAT([] { parse_to_trainer("go on"); },
              ThrowsMessage<ProtocolError>(HasSubstr("no JSON object: go on")));
  EXPECT_THAT([] { parse_to_trainer(R"({"trial": 1})"); },
              ThrowsMessage<ProtocolError>(HasSubstr(R"("event" is missing: {"trial": 1})")));
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

TEST(Lines, WhatCantBeReadIsNoLogTextWhereItLooksLikeAMessage) {
  EXPECT_THAT([] { parse_from_trainer(R"({"event": "epoch", "trial": 1,)"); },
              ThrowsMessage<ProtocolError>(HasSubstr("can't be read")));
}

TEST(Lines, DepthHasABound) {
  const std::string deep = R"({"event": "finished", "trial": 1, "attempt": 1, "result": {"a": )" +
                           std::string(100000, '[') + std::string(100000, ']') + "}}";
  EXPECT_THROW(parse_from_trainer(deep), ProtocolError);
}

TEST(Lines, NumbersAsOtherLanguagesWriteThem) {
  const auto message = parse_from_trainer(
      R"({"event":"epoch","trial":1,"attempt":"1","epoch":2.0,"metrics":{"a":nan,"b":"0.5","c":1e999}})");
  const Epoch& epoch = std::get<Epoch>(*message);
  EXPECT_EQ(epoch.epoch, 2);
  EXPECT_TRUE(std::isnan(epoch.metrics.at("a")));
  EXPECT_EQ(epoch.metrics.at("b"), 0.5);
  EXPECT_TRUE(std::isnan(epoch.metrics.at("c")));
}

TEST(Lines, WhatOnlyTheOrchestratorKnowsIsNoWordOfATrainers) {
  const auto said = [](const std::string& kind) {
    return *parse_from_trainer(R"({"event":"failed","trial":1,"attempt":1,"kind":")" + kind +
                               "\"}");
  };
  EXPECT_EQ(std::get<Failed>(said("node")).kind, TrainerFailure::crash);
  EXPECT_EQ(std::get<Failed>(said("hang")).kind, TrainerFailure::crash);
  EXPECT_TRUE(std::holds_alternative<Stopped>(said("preempted")));
  for (std::size_t i = 0; i < kTrainerFailureNames.size(); ++i)
    EXPECT_EQ(std::get<Failed>(said(std::string(kTrainerFailureNames[i]))).kind,
              static_cast<TrainerFailure>(i));
}

TEST(Lines, AMetricsNameIsText) {
  EXPECT_THROW(
      parse_from_trainer(
          R"({"event":"epoch","trial":1,"attempt":1,"epoch":1,"metrics":{"lo\u0000ss":1}})"),
      ProtocolError);
}

TEST(Lines, InvalidUtf8DoesNotCostTheMessage) {
  const std::string line = to_line(FromTrainer{Log{"info", "caf\xe9"}});
  EXPECT_THAT(std::get<Log>(*parse_from_trainer(line)).text, HasSubstr("caf"));
}

}  // namespace
}  // namespace windrow::protocol
