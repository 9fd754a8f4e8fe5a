#include <gtest/gtest.h>

#include "protocol/nearest.h"

namespace windrow {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("lr", "lrr"), 1u);
  EXPECT_EQ(edit_distance("seeds", "sedes"), 1u) << "a swap of neighbours is one edit";
  EXPECT_EQ(edit_distance("batch", "match"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, TakesTheFewestEditsAndTheFirstOfEquals) {
  const std::vector<std::string> names = {"beta1", "beta2", "batch", "lr"};
  EXPECT_EQ(nearest("bacth", names), "batch");
  EXPECT_EQ(nearest("beta", names), "beta1");
  EXPECT_EQ(nearest("lrr", names), "lr");
}

TEST(Nearest, FindsNothingWhereTooLittleIsShared) {
  const std::vector<std::string> names = {"batch", "lr"};
  EXPECT_EQ(nearest("xy", names), "");
  EXPECT_EQ(nearest("momentum", names), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Suggestion, NamesTheNearestAndAllValidOnes) {
  const std::vector<std::string> names = {"sgd", "adam"};
  EXPECT_EQ(suggestion("adma", names), "did you mean \"adam\"? It is one of sgd, adam");
  EXPECT_EQ(suggestion("lbfgs2", names), "use one of sgd, adam");
  EXPECT_EQ(suggestion("sdg", {names.data(), 1}), "did you mean \"sgd\"?");
}

}  // namespace
}  // namespace windrow
