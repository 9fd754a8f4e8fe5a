#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sweeps/set_files.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class CsvSets : public testing::Test {
 protected:
  SetData read(const std::string& text, std::int64_t items = 0) {
    return read_set_file({.file = files_.write("sets.csv", text), .items = items});
  }
  // The refusal without the folder.
  std::string refused(const std::string& text, std::int64_t items = 0) {
    std::string said = test::refusal({.file = files_.write("sets.csv", text), .items = items});
    if (const auto at = said.find("sets.csv"); at != said.npos) said.erase(0, at);
    return said;
  }
  test::Files files_;
};

constexpr const char* kSets =  // two items of two features, and the choice
    "0.5,1,-2,3,0\n"
    "7,8,9,1e1,1\n";

constexpr const char* kItems =  // the same, a row an item
    "set,price,quality,choice\n"
    "10,0.5,1,1\n"
    "10,-2,3,0\n"
    "11,7,8,0\n"
    "11,9,10,1\n";

TEST_F(CsvSets, ARowASet) {
  const SetData data = read(kSets, 2);
  EXPECT_EQ(data.sets, 2);
  EXPECT_EQ(data.items, 2);
  EXPECT_EQ(data.features, 2);
  EXPECT_THAT(data.x, ElementsAre(0.5, 1, -2, 3, 7, 8, 9, 10));
  EXPECT_THAT(data.choice, ElementsAre(0, 1));
}

TEST_F(CsvSets, ARowAnItemAndOneHotColumnsAreTheSameSets) {
  const SetData data = read(kSets, 2);
  for (const SetData& other : {read(kItems), read("0.5,1,-2,3,1,0\n7,8,9,10,0,1\n", 2)}) {
    EXPECT_EQ(other.x, data.x);
    EXPECT_EQ(other.choice, data.choice);
    EXPECT_EQ(other.hash, data.hash);
  }
  EXPECT_NE(read("0.5,1,-2,3,0\n7,8,9,10,0\n", 2).hash, data.hash);
}

TEST_F(CsvSets, FormsOfTheSameText) {
  const std::string expected = read(kSets, 2).hash;
  EXPECT_EQ(read("a,b,c,d,choice\n" + std::string(kSets), 2).hash, expected) << "header";
  EXPECT_EQ(read("0,1,2,3,4\n" + std::string(kSets), 2).hash, expected)
      << "the header that pandas writes for columns without names";
  EXPECT_EQ(read("\xef\xbb\xbf"
                 " 0.5 ,+1,\"-2\",3,0\r\n7,8,9,10,1\r\n\r\n",
                 2)
                .hash,
            expected);
  EXPECT_EQ(read("0.5,1,-2,3,0\n7,8,9,10,1", 2).hash, expected) << "no newline at the end";
}

TEST_F(CsvSets, TheNumberOfAnItemIsPassedOver) {
  EXPECT_EQ(
      read("choice,item,set,price,quality\n1,1,0,0.5,1\n0,2,0,-2,3\n0,1,1,7,8\n1,2,1,9,10\n").hash,
      read(kItems).hash);
}

TEST_F(CsvSets, AnIndexColumnIsNotTakenForAFeature) {
  // 21 columns are an index, 15 features and 5 choices, or 4 features of each item: as many
  // columns as sets of 5 items may have.
  const std::string row = ",1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1,0,0,0,0\n";
  EXPECT_THAT(refused("0" + row + "1" + row + "2" + row, 5),
              MatchesRegex("sets.csv:1: column 1 counts the rows: 0, 1, ... 2; .*index=False.*"));
  EXPECT_THAT(refused(",a,b,c,d\n9,1,0,1,0\n", 2), HasSubstr("sets.csv:1: column 1 has no name"));
  EXPECT_THAT(refused("Unnamed: 0,a,b,c,choice\n9,1,0,1,0\n", 2), HasSubstr("Unnamed: 0"));
  EXPECT_THAT(refused(",set,price,choice\n0,1,5,1\n1,1,6,0\n"), HasSubstr("column 1 has no name"));
  EXPECT_THAT(refused("row,set,price,choice\n1,1,5,1\n2,1,6,0\n3,2,5,1\n4,2,8,0\n"),
              HasSubstr("column 1 (row) counts the rows: 1, 2, ... 4"));
}

TEST_F(CsvSets, AColumnThatDoesNotCountEveryRowIsAFeature) {
  EXPECT_EQ(refused("0,1,5,6,0\n1,1,7,8,1\n3,1,7,8,1\n", 2), "");
  EXPECT_EQ(refused("1,0,5,6,0\n5,1,7,8,1\n3,2,7,8,1\n", 2), "")
      << "three rows may count by chance";
}

TEST_F(CsvSets, RefusesCellsThatAreNoFiniteNumbers) {
  const std::string first = "1,2,3,4,0\n";
  EXPECT_THAT(refused(first + "1,nan,3,4,0\n", 2),
              HasSubstr("sets.csv:2: column 2 is nan, which is not finite"));
  EXPECT_THAT(refused(first + "1,2,-inf,4,0\n", 2), HasSubstr("sets.csv:2: column 3 is -inf"));
  EXPECT_THAT(refused(first + "1,1e999,3,4,0\n", 2), HasSubstr("column 2 is 1e999"));
  EXPECT_THAT(refused(first + "1e39,2,3,4,0\n", 2), HasSubstr("too large for a 32-bit float"));
  EXPECT_THAT(refused(first + "1,,3,4,0\n", 2), HasSubstr("sets.csv:2: column 2 is empty"));
  EXPECT_THAT(refused(first + "1,2,3,4,\n", 2), HasSubstr("sets.csv:2: column 5 is empty"));
  EXPECT_THAT(refused("a,b,c,d,choice\n1,2,3,4,0\na,b,c,d,choice\n", 2),
              HasSubstr("sets.csv:3: column 1 (a) is \"a\", which is no number"));
  EXPECT_THAT(refused("1,two,3,4,0\n", 2), HasSubstr("sets.csv:1: column 2 is \"two\""));
  EXPECT_THAT(refused("a;b;c;d;choice\n1;2;3;4;0\n", 2),
              HasSubstr("separate the columns by commas"));
  EXPECT_EQ(read(first + "1,1e-999,3,4,0\n", 2).x[5], 0) << "too small is 0";
}

TEST_F(CsvSets, RefusesRaggedRows) {
  EXPECT_THAT(refused("1,2,3,4,0\n1,2,3,4\n", 2),
              HasSubstr("sets.csv:2: has 4 cells, but the first line has 5"));
  EXPECT_THAT(refused("1,2,3,4,0\n1,2,3,4,0,0\n", 2), HasSubstr("sets.csv:2: has 6 cells"));
  EXPECT_THAT(refused("1,2,3,4,0\n\n1,2,3,4,0\n", 2), HasSubstr("sets.csv:2: is empty"));
}

TEST_F(CsvSets, RefusesAWrongNumberOfItems) {
  EXPECT_THAT(refused("1,2,3,4,5,6,0\n", 4),
              HasSubstr("has 7 columns, which doesn't fit sets of 4 items"));
  EXPECT_THAT(refused("1,2,0\n", 5), HasSubstr("doesn't fit sets of 5 items"));
  EXPECT_THAT(refused(kSets), HasSubstr("say it with the parameter items"));
  EXPECT_THAT(refused(kItems, 3), HasSubstr("has 2 items, but the parameter items is 3"));
  EXPECT_THAT(refused("set,price,choice\n1,5,1\n1,6,0\n2,7,1\n"),
              HasSubstr("sets.csv:4: set 2 has 1 items, but the first set has 2"));
  EXPECT_THAT(refused("set,price,choice\n1,5,1\n2,6,1\n"), HasSubstr("sets of a single item"));
  EXPECT_THAT(refused("set,price,choice\n1,5,1\n1,6,0\n2,5,1\n2,7,0\n1,5,0\n1,9,1\n"),
              HasSubstr("sets.csv:6: set 1 was there before"));
}

TEST_F(CsvSets, RefusesChoicesThatAreNoItem) {
  EXPECT_THAT(
      refused("1,2,3,4,2\n", 2),
      HasSubstr("sets.csv:1: column 5 is 2, but a choice is the number of an item, 0 to 1"));
  EXPECT_THAT(refused("1,2,3,4,-1\n", 2), HasSubstr("column 5 is -1"));
  EXPECT_THAT(refused("1,2,3,4,0.5\n", 2), HasSubstr("column 5 is 0.5"));
  EXPECT_THAT(refused("1,2,3,4,1,1\n", 2), HasSubstr("sets.csv:1: the set has 2 chosen items"));
  EXPECT_THAT(refused("1,2,3,4,0,0\n", 2), HasSubstr("the set has 0 chosen items"));
  EXPECT_THAT(refused("1,2,3,4,0,2\n", 2), HasSubstr("column 6 is 2"));
  EXPECT_THAT(refused("set,price,choice\n1,5,0\n1,6,0\n"), HasSubstr("has 0 chosen items"));
  EXPECT_THAT(refused("set,price,picked\n1,5,0\n1,6,1\n"), HasSubstr("no column choice"));
  EXPECT_THAT(refused("choice,a,b,c,d\n0,1,2,3,4\n", 2), HasSubstr("must be the last one"));
}

TEST_F(CsvSets, RefusesFilesThatAreNotThereOrEmpty) {
  EXPECT_THAT(refused(""), HasSubstr("sets.csv: is empty"));
  EXPECT_THAT(refused("\n\n"), HasSubstr("sets.csv: is empty"));
  EXPECT_THAT(refused("a,b,choice\n", 2), HasSubstr("a header line and no data"));
  EXPECT_THAT(test::refusal({.file = files_.folder() / "no.csv"}), HasSubstr("No such file"));
  EXPECT_THAT(test::refusal({.file = files_.write("sets.xlsx", "PK")}), HasSubstr("\".xlsx\""));
  EXPECT_THAT(test::refusal({.file = files_.write("sets.csv", kSets), .choices = "c.npy"}),
              HasSubstr("one file too many"));
}

// ---- two files that belong together

class ChoiceFilesTest : public testing::Test {
 protected:
  std::string refused(const protocol::Json& parameters) {
    try {
      choice_files(parameters, files_.folder());
      return "";
    } catch (const DataFileError& error) {
      return error.what();
    }
  }
  std::string refused_pair(const std::string& training, const std::string& test, double split) {
    const ChoiceFiles files{{.file = files_.write("train.csv", training)},
                            {.file = files_.write("test.csv", test)}};
    try {
      check_pair(files, read_set_file(files.training), read_set_file(files.test), split);
      return "";
    } catch (const DataFileError& error) {
      return error.what();
    }
  }
  test::Files files_;
};

TEST_F(ChoiceFilesTest, PathsCountFromTheDataFolder) {
  const std::filesystem::path elsewhere = files_.write("elsewhere.csv", "");
  files_.write("train.csv", "");
  const auto files = choice_files(
      {{"train_file", "train.csv"}, {"test_file", elsewhere.string()}, {"items", nullptr}},
      files_.folder());
  ASSERT_TRUE(files);
  EXPECT_EQ(files->training.file, files_.folder() / "train.csv");
  EXPECT_EQ(files->test.file, elsewhere);
  EXPECT_EQ(choice_files({{"train_file", nullptr}, {"items", 5}}, files_.folder()), std::nullopt);
}

TEST_F(ChoiceFilesTest, RefusesHalfAPairAndFilesThatAreNotThere) {
  files_.write("a.csv", "");
  EXPECT_THAT(refused({{"train_file", "a.csv"}}), HasSubstr("test_file is missing"));
  EXPECT_THAT(refused({{"test_file", "a.csv"}}), HasSubstr("train_file is missing"));
  EXPECT_THAT(refused({{"train_choice_file", "a.csv"}}), HasSubstr("train_file is missing"));
  EXPECT_THAT(refused({{"train_file", "a.csv"}, {"test_file", "b.csv"}}),
              HasSubstr("b.csv: does not exist; give the whole path"));
}

TEST_F(ChoiceFilesTest, RefusesPairsThatDoNotFit) {
  const std::string training = "set,a,choice\n1,5,1\n1,6,0\n2,7,1\n2,7.5,0\n";
  const std::string two_features = "set,a,b,choice\n1,5,6,1\n1,6,6,0\n";
  EXPECT_THAT(refused_pair(training, two_features, 0.5),
              HasSubstr("test.csv: has sets of 2 items of 2 features, but"));
  EXPECT_THAT(refused_pair(training, training, 0.5), HasSubstr("test.csv: has the same sets as"));
  const std::string test = "set,a,choice\n1,5.5,1\n1,6,0\n";
  EXPECT_THAT(refused_pair(training, test, 0.1), HasSubstr("has 2 sets, too few to hold out"));
  EXPECT_EQ(refused_pair(training, test, 0.5), "");
}

TEST(ValidationSets, AreTheLastShareAndNeverAll) {
  EXPECT_EQ(validation_sets(200000, 0.1), 20000);
  EXPECT_EQ(validation_sets(7, 0.1), 1);
  EXPECT_EQ(validation_sets(2, 0.9), 1);
}

}  // namespace
}  // namespace windrow::sweeps
