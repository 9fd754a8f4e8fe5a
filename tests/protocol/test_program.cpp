// What makes a program another one, in its hash and in words.
#include <gtest/gtest.h>

#include "protocol/program.h"

namespace windrow::protocol {
namespace {

// Recorded in databases: it must stay as it is from version to version.
TEST(Program, TheHashIsThatOfItsWordsAndFiles) {
  const Program program = make_program({"python3", "tr\u00e4in.py"}, {{"tr\u00e4in.py", "1"}});
  EXPECT_EQ(program.hash, "3fe446620bf0eb01");
  EXPECT_NE(program.hash,
            make_program({"python3", "tr\u00e4in.py"}, {{"tr\u00e4in.py", "2"}}).hash);
  EXPECT_NE(program.hash, make_program({"python", "tr\u00e4in.py"}, {{"tr\u00e4in.py", "1"}}).hash);
}

TEST(Program, TheDifferenceNamesSomeFilesAndCountsTheOthers) {
  const Program before = make_program({"train"}, {{"a", "1"}, {"gone", "1"}, {"same", "1"}});
  EXPECT_EQ(difference(before, make_program({"train"}, {{"a", "2"}, {"new", "1"}, {"same", "1"}})),
            "a differs, new is new, gone is gone");
  EXPECT_EQ(difference(before, make_program({"train", "-v"}, before.files)),
            "the command was `train` and is `train -v`");
  Json many = Json::object();
  for (int i = 0; i < 20; ++i) many["f" + std::to_string(i)] = "1";
  EXPECT_EQ(difference(make_program({"train"}, {}), make_program({"train"}, many)),
            "f0 is new, f1 is new, f10 is new, f11 is new, f12 is new and 15 more");
}

}  // namespace
}  // namespace windrow::protocol
