#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "sweeps/data/npy.h"
#include "tests/sweeps/set_files.h"

namespace windrow::sweeps {
namespace {

using test::bytes_of;
using test::npy;
using testing::ElementsAre;
using testing::HasSubstr;

// 2 sets of 3 items of 2 features: 0, 1, ..., 11 and a half each.
template <class T>
std::vector<T> numbers() {
  std::vector<T> values(12);
  std::iota(values.begin(), values.end(), static_cast<T>(0));
  for (T& value : values) value += static_cast<T>(0.5);
  return values;
}

const std::string kFloats = npy("<f4", "(2, 3, 2)", bytes_of(numbers<float>()));
const std::string kChoices = npy("<i8", "(2,)", bytes_of<std::int64_t>({2, 0}));

class NpySets : public testing::Test {
 protected:
  SetFile file(const std::string& x, const std::string& choices = kChoices) {
    return {.file = files_.write("x.npy", x), .choices = files_.write("choice.npy", choices)};
  }
  std::string refused(const std::string& x, const std::string& choices = kChoices) {
    return test::refusal(file(x, choices));
  }
  test::Files files_;
};

TEST_F(NpySets, FeaturesAndChoices) {
  const SetData data = read_set_file(file(kFloats));
  EXPECT_EQ(data.sets, 2);
  EXPECT_EQ(data.items, 3);
  EXPECT_EQ(data.features, 2);
  EXPECT_EQ(data.x, numbers<float>());
  EXPECT_THAT(data.choice, ElementsAre(2, 0));
}

TEST_F(NpySets, OtherNumbersOfTheSameValueAreTheSameSets) {
  const std::string expected = read_set_file(file(kFloats)).hash;
  const auto reversed = [](std::string bytes, std::size_t size) {
    for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(size))
      std::reverse(at, at + static_cast<std::ptrdiff_t>(size));
    return bytes;
  };
  for (const std::string& x : {npy("<f8", "(2, 3, 2)", bytes_of(numbers<double>())),
                               npy(">f4", "(2, 3, 2)", reversed(bytes_of(numbers<float>()), 4)),
                               npy(">f8", "(2, 3, 2)", reversed(bytes_of(numbers<double>()), 8))})
    EXPECT_EQ(read_set_file(file(x)).hash, expected);
  for (const std::string& choices :
       {npy("|u1", "(2,)", bytes_of<std::uint8_t>({2, 0})),
        npy(">i4", "(2,)", reversed(bytes_of<std::int32_t>({2, 0}), 4)),
        npy("|b1", "(2, 3)", bytes_of<std::uint8_t>({0, 0, 1, 1, 0, 0})),
        npy("<f4", "(2, 3)", bytes_of<float>({0, 0, 1, 1, 0, 0}))})
    EXPECT_EQ(read_set_file(file(kFloats, choices)).hash, expected);
}

TEST_F(NpySets, FortranOrderIsReadAsCOrder) {
  // Element [s, i, k] lies at s + 2 i + 6 k.
  std::vector<float> values(12);
  for (std::size_t s = 0; s < 2; ++s)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t k = 0; k < 2; ++k)
        values[s + 2 * i + 6 * k] = numbers<float>()[(s * 3 + i) * 2 + k];
  EXPECT_EQ(read_set_file(file(npy("<f4", "(2, 3, 2)", bytes_of(values), true))).x,
            numbers<float>());
}

TEST_F(NpySets, RefusesOtherTypes) {
  EXPECT_THAT(refused(npy("|O", "(2, 3, 2)", "pickle")), HasSubstr("x.npy: holds Python objects"));
  EXPECT_THAT(refused(npy("<f2", "(2, 3, 2)", std::string(24, '\0'))),
              HasSubstr("holds dtype '<f2'; save it as numbers"));
  EXPECT_THAT(refused(npy("<U3", "(2, 3, 2)", "")), HasSubstr("'<U3'"));
  EXPECT_THAT(refused(npy("|b1", "(2, 3, 2)", std::string(12, '\1'))), HasSubstr("booleans"));
  std::string fields = kFloats;
  fields.replace(fields.find("'<f4'"), 5, "[('a'");
  EXPECT_THAT(refused(fields), HasSubstr("structured array"));
}

TEST_F(NpySets, RefusesShapesThatAreNoSets) {
  const std::string bytes = bytes_of(numbers<float>());
  EXPECT_THAT(refused(npy("<f4", "(2, 6)", bytes)),
              HasSubstr("has the shape [2, 6]; features must be "
                        "[sets, items, features]"));
  EXPECT_THAT(refused(npy("<f4", "(0, 3, 2)", "")), HasSubstr("no sets"));
  EXPECT_THAT(refused(npy("<f4", "(12, 1, 1)", bytes)), HasSubstr("at least 2 items"));
  EXPECT_THAT(refused(kFloats, npy("<i8", "(3,)", bytes_of<std::int64_t>({2, 0, 1}))),
              HasSubstr("choice.npy: has the shape [3], but"));
  EXPECT_THAT(refused(kFloats, npy("<i8", "(2, 2)", bytes_of<std::int64_t>({1, 0, 0, 1}))),
              HasSubstr("choices must be [2] or [2, 3]"));
}

TEST_F(NpySets, RefusesFilesThatAreCutOffOrNoArrays) {
  EXPECT_THAT(refused(kFloats.substr(0, kFloats.size() - 4)),
              HasSubstr("has 44 bytes of data, but [2, 3, 2] of dtype '<f4' takes 4 each"));
  EXPECT_THAT(refused(kFloats + "x"), HasSubstr("has 49 bytes of data"));
  EXPECT_THAT(refused(kFloats.substr(0, 40)), HasSubstr("cut off in its header"));
  EXPECT_THAT(refused(""), HasSubstr("x.npy: is empty"));
  EXPECT_THAT(refused("0.5,1,2,3,0\n"), HasSubstr("is no .npy file"));
  EXPECT_THAT(refused(npy("<f8", "(1099511627776, 1099511627776, 16)", "")),
              HasSubstr("is no .npy file"));
  EXPECT_THAT(test::refusal({.file = files_.write("x.npy", kFloats)}),
              HasSubstr("name the .npy file of the choices"));
}

TEST_F(NpySets, RefusesValuesThatAreNoFiniteNumbersOrNoItems) {
  std::vector<float> values = numbers<float>();
  values[9] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refused(npy("<f4", "(2, 3, 2)", bytes_of(values))),
              HasSubstr("x.npy: element [1, 1, 1] is nan"));
  EXPECT_THAT(
      refused(kFloats, npy("<i8", "(2,)", bytes_of<std::int64_t>({2, 3}))),
      HasSubstr("choice.npy: element [1] is 3, but a choice is the number of an item, 0 to 2"));
  EXPECT_THAT(refused(kFloats, npy("|b1", "(2, 3)", std::string("\0\0\1\1\1\0", 6))),
              HasSubstr("row 1 has 2 chosen items"));
}

}  // namespace
}  // namespace windrow::sweeps
