#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/process/line_splitter.h"

namespace windrow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Lines {
  std::vector<std::string> lines;
  int too_long = 0;
  LineSplitter splitter;
  explicit Lines(std::size_t limit = 100, bool cut = false)
      : splitter(
            limit, [this](std::string_view line) { lines.emplace_back(line); },
            cut ? std::function<void()>{} : [this] { ++too_long; }) {}
};

std::vector<std::string> split(std::string_view text, std::size_t piece) {
  Lines it;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    it.splitter.feed(text.substr(0, piece));
  it.splitter.finish();
  return it.lines;
}

TEST(LineSplitter, LinesEndAtNewlinesAndReturnsHoweverTheTextIsCut) {
  for (std::size_t piece = 1; piece < 40; ++piece) {
    EXPECT_THAT(split("one\ntwo\r\nthree\rfour\n\nsix\r\n\r\neight", piece),
                ElementsAre("one", "two", "three", "four", "", "six", "", "eight"));
    EXPECT_THAT(split("\r 10%\r 20%\r 30%\n", piece), ElementsAre("", " 10%", " 20%", " 30%"));
  }
}

TEST(LineSplitter, ALineOfAProgressBarIsHandedOnAtOnce) {
  Lines it;
  it.splitter.feed("epoch 1\r");
  EXPECT_THAT(it.lines, ElementsAre("epoch 1"));
  it.splitter.feed("\n");
  EXPECT_THAT(it.lines, ElementsAre("epoch 1"));
}

TEST(LineSplitter, ALineThatIsTooLongIsToldOnceAndDropped) {
  for (std::size_t piece : {1, 7, 1000}) {
    Lines it(10);
    const std::string text = "0123456789\n" + std::string(50, 'x') + "\nafter\n01234567890\n";
    for (std::size_t i = 0; i < text.size(); i += piece) it.splitter.feed(text.substr(i, piece));
    EXPECT_THAT(it.lines, ElementsAre("0123456789", "after")) << piece;
    EXPECT_EQ(it.too_long, 2) << piece;
  }
}

TEST(LineSplitter, ItIsToldBeforeTheLineEnds) {
  Lines it(10);
  it.splitter.feed("01234567890");
  EXPECT_EQ(it.too_long, 1);
  it.splitter.finish();
  EXPECT_THAT(it.lines, IsEmpty());
}

TEST(LineSplitter, WhereNobodyIsToldALongLineIsCutUp) {
  for (std::size_t piece : {1, 7, 1000}) {
    Lines it(4, true);
    const std::string text = "0123456789\nab\n";
    for (std::size_t i = 0; i < text.size(); i += piece) it.splitter.feed(text.substr(i, piece));
    EXPECT_THAT(it.lines, ElementsAre("0123", "4567", "89", "ab")) << piece;
  }
}

TEST(LineSplitter, LinesAreUtf8WhateverComes) {
  EXPECT_THAT(split("caf\xE9 1\nna\xC3\xAFve\n", 3), ElementsAre("caf\uFFFD 1", "na\u00EFve"));
}

}  // namespace
}  // namespace windrow
