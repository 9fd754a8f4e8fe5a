#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "protocol/arguments.h"
#include "protocol/printed_lines.h"

namespace windrow::protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PrintedEpoch epoch(const std::string& line) {
  PrintedLine printed = parse_printed_line(line);
  EXPECT_TRUE(std::holds_alternative<PrintedEpoch>(printed)) << line;
  return std::holds_alternative<PrintedEpoch>(printed) ? std::get<PrintedEpoch>(printed)
                                                       : PrintedEpoch{};
}
double loss(const std::string& value) {
  return epoch(R"({"epoch": 1, "loss": )" + value + "}").epoch.metrics.at("loss");
}
std::string unread(const std::string& line) {
  PrintedLine printed = parse_printed_line(line);
  EXPECT_TRUE(std::holds_alternative<UnreadLine>(printed)) << line;
  return std::holds_alternative<UnreadLine>(printed) ? std::get<UnreadLine>(printed).why : "";
}

TEST(PrintedLines, EveryNumberIsAMetric) {
  const PrintedEpoch printed = epoch(
      R"({"epoch": 3, "loss": 0.5, "acc": NaN, "note": "x", "done": true, "wall_seconds": 0.5})");
  EXPECT_EQ(printed.epoch.epoch, 3);
  EXPECT_EQ(printed.epoch.wall_seconds, 0.5);
  EXPECT_EQ(printed.epoch.metrics.size(), 3u);
  EXPECT_EQ(printed.epoch.metrics.at("done"), 1);
  EXPECT_EQ(printed.left_out, "");
}

TEST(PrintedLines, WhatIsNoNumberAsProgramsPrintIt) {
  for (const char* value :
       {"nan",     "NaN",    "NAN",     "-nan",     "nan(ind)",      "-nan(ind)",
        "inf",     "-inf",   "Inf",     "Infinity", "-Infinity",     "NA",
        "null",    "None",   "1e999",   "-1e999",   "1.#IND",        "-1.#IND",
        "1.#QNAN", "1.#INF", "\"nan\"", "\"inf\"",  "\"-Infinity\"", "\"NA\""})
    EXPECT_TRUE(std::isnan(loss(value))) << value;
}

TEST(PrintedLines, NumbersAsProgramsPrintThem) {
  for (const char* value : {"0.5", "\"0.5\"", "5e-1", "+0.5", ".5", "0.50", "np.float64(0.5)",
                            "tensor(0.5)", "np.float32(0.5)"})
    EXPECT_EQ(loss(value), 0.5) << value;
  EXPECT_EQ(loss("1."), 1);
  EXPECT_EQ(loss("12345678901234567890"), 12345678901234567890.0);
  EXPECT_EQ(loss("1e-400"), 0);
}

TEST(PrintedLines, EpochsAsProgramsPrintThem) {
  for (const char* text : {"2", "2.0", "\"2\"", "2e0"})
    EXPECT_EQ(epoch(R"({"epoch": )" + std::string(text) + "}").epoch.epoch, 2) << text;
}

TEST(PrintedLines, PythonsAndLooseForms) {
  for (const char* line :
       {"{'epoch': 1, 'loss': 0.5}", "  {\"epoch\": 1, \"loss\": 0.5}\r",
        "\xef\xbb\xbf{\"epoch\": 1, \"loss\": 0.5}", "{\"epoch\": 1, \"loss\": 0.5,}",
        "{\"epoch\": 1, \"loss\": 0.5},", "{\"epoch\": 1, \"loss\": 0.5, \"note\": \"caf\xe9\"}",
        "{'epoch': 1, 'loss': 0.5, 'ok': True, 'best': None}"})
    EXPECT_EQ(epoch(line).epoch.metrics.at("loss"), 0.5) << line;
}

TEST(PrintedLines, AnInnerObjectsMetricsBearItsName) {
  EXPECT_EQ(epoch(R"({"epoch": 1, "val": {"loss": 0.5}})").epoch.metrics.at("val.loss"), 0.5);
}

TEST(PrintedLines, WhatIsLeftOutIsTold) {
  EXPECT_THAT(epoch(R"({"epoch": 1, "loss": [0.5]})").left_out, HasSubstr("loss"));
  EXPECT_THAT(epoch("{\"epoch\": 1, \"lo\\u0000ss\": 0.5}").left_out, HasSubstr("control"));
  EXPECT_THAT(epoch("{\"epoch\": 1, \"" + std::string(300, 'x') + "\": 0.5}").left_out,
              HasSubstr("longer"));
}

TEST(PrintedLines, WhatCantBeReadIsToldWithTheLine) {
  EXPECT_THAT(unread(R"({"epoch": 1,)"), HasSubstr("breaks off"));
  EXPECT_THAT(unread(R"({"epoch": 1, "loss": 0,5})"), HasSubstr("0,5"));
  EXPECT_THAT(unread(R"({"epoch": 1, "loss": 0.5} ok)"), HasSubstr("ok"));
  EXPECT_THAT(unread(R"({"epoch": 1.5, "loss": 0.5})"), HasSubstr("whole number"));
  EXPECT_THAT(unread(R"({"epoch": null, "loss": 0.5})"), HasSubstr("whole number"));
  EXPECT_THAT(unread(R"({"epoch": 99999999999, "loss": 0.5})"), HasSubstr("whole number"));
  EXPECT_THAT(unread(R"({"result": 0.5})"), HasSubstr("no object"));
  EXPECT_LT(unread(R"({"epoch": 1, "loss": )" + std::string(5000, 'x')).size(), 500u);
  unread(R"({"epoch": 1, "a": )" + std::string(100000, '[') + std::string(100000, ']') + "}");
}

TEST(PrintedLines, EpochsBelow1AreRefused) {
  for (const char* line : {R"({"epoch": 0, "loss": 1})", R"({"epoch": -3})"}) {
    const PrintedLine printed = parse_printed_line(line);
    ASSERT_TRUE(std::holds_alternative<RefusedLine>(printed)) << line;
    EXPECT_THAT(std::get<RefusedLine>(printed).why, HasSubstr("from 1"));
  }
}

TEST(PrintedLines, TheRestIsLogText) {
  for (const char* line :
       {"", "Epoch 1/5", "{not json", "[1]", R"({"loss": 0.5})", R"({"event": "epoch"})",
        R"(INFO:root:{"epoch": 1, "loss": 0.5})", R"({"step": 4, "what": "an epoch"})"})
    EXPECT_TRUE(std::holds_alternative<LogText>(parse_printed_line(line))) << line;
}

TEST(PrintedLines, TheResult) {
  const PrintedLine printed = parse_printed_line(R"({"result": {"loss": 0.5, "acc": nan}})");
  const auto& result = std::get<PrintedResult>(printed).result;
  EXPECT_EQ(result.at("loss"), 0.5);
  EXPECT_TRUE(std::isnan(result.at("acc")));
}

TEST(PrintedLines, AMisspeltWatchedMetricIsToldWithTheNearestName) {
  EXPECT_THAT(missing_watched_metric("val_los", {"loss", "val_loss"}),
              HasSubstr("did you mean \"val_loss\"?"));
}

// ---- parameters as words

TEST(Arguments, AreOneWordEachSoThatAMinusIsNoOption) {
  const Json parameters = {{"lr", -1e-05}, {"flags", "-O2"}, {"model.depth", 3}, {"bias", false}};
  EXPECT_THAT(argument_words(Arguments::words, parameters),
              ElementsAre("--bias=false", "--flags=-O2", "--lr=-1e-05", "--model.depth=3"));
}

TEST(Arguments, AsFlags) {
  const Json parameters = {{"a", true}, {"b", false}, {"c", 1}, {"d", nullptr}};
  EXPECT_THAT(argument_words(Arguments::flags, parameters), ElementsAre("--a", "--c=1"));
}

TEST(Arguments, ForHydra) {
  const Json parameters = {{"a", true}, {"b", nullptr}, {"c", "x y"}, {"d", "adam"}, {"e", "1"}};
  EXPECT_THAT(argument_words(Arguments::hydra, parameters),
              ElementsAre("a=true", "b=null", "c='x y'", "d=adam", "e='1'"));
}

TEST(Arguments, NoneAtAll) {
  EXPECT_THAT(argument_words(Arguments::none, {{"a", 1}}), IsEmpty());
}

TEST(Arguments, AWholeNumberIsOneHoweverItWasWritten) {
  EXPECT_THAT(argument_words(Arguments::words, {{"n", 16.0}}), ElementsAre("--n=16"));
}

}  // namespace
}  // namespace windrow::protocol
