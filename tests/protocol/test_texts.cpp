// Names and lenient JSON: what is taken, and what is told of the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/arguments.h"
#include "protocol/lenient_json.h"
#include "protocol/text.h"

namespace windrow::protocol {
namespace {

using testing::ElementsAre;

TEST(Names, WhatIsWrongWithOneIsSaid) {
  EXPECT_EQ(name_fault("loss"), "");
  EXPECT_EQ(name_fault(""), "it is empty");
  EXPECT_EQ(name_fault("a\nb"), "it has control characters");
  EXPECT_EQ(name_fault("caf\xE9"), "it is not UTF-8");
  EXPECT_THAT(name_fault(std::string(10000, 'a')), testing::StartsWith("it is longer than"));
}

TEST(Quote, ALongLineIsCutAndSaysSo) {
  EXPECT_EQ(quote("a\tb\x1b"), "a b ");
  const std::string quoted = quote(std::string(10000, 'x'));
  EXPECT_LT(quoted.size(), 1000u);
  EXPECT_THAT(quoted, testing::EndsWith("xxx..."));
}

TEST(LenientJson, SeparatorsMayFollow) {
  for (const char* text : {"1", "1,", "1;", "1 ; ,", "1;;"}) EXPECT_EQ(read_lenient_json(text), 1);
  EXPECT_THROW(read_lenient_json("1; 2"), LenientJsonFault);
}

TEST(LenientJson, BracketsInTextsAreNoLevels) {
  const std::string many(200, '[');
  EXPECT_TRUE(is_too_deep(many));
  EXPECT_FALSE(is_too_deep('"' + many + '"'));
  EXPECT_FALSE(is_too_deep(R"("\")" + many + '"'));
  EXPECT_TRUE(is_too_deep(R"("\\")" + many));
  EXPECT_TRUE(is_too_deep(R"("A",)" + many));
}

TEST(Arguments, HydraTakesWhatLooksLikeAnotherTypeForIt) {
  for (const char* text : {"true", "false", "null", "", "1e5", "a b"}) {
    const std::string quoted = "x='" + std::string(text) + "'";
    EXPECT_THAT(argument_words(Arguments::hydra, {{"x", text}}), ElementsAre(quoted));
  }
  EXPECT_THAT(argument_words(Arguments::hydra, {{"x", "resnet-9"}}), ElementsAre("x=resnet-9"));
  EXPECT_THAT(argument_words(Arguments::hydra, {{"x", false}}), ElementsAre("x=false"));
}

}  // namespace
}  // namespace windrow::protocol
