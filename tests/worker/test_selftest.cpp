// The self-test itself, on the CPU: what it can try there is as it should be, and what it can't is
// told.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "worker/selftest/selftest.h"

namespace windrow::worker {
namespace {

using Verdict = Outcome::Verdict;

std::vector<Outcome> outcomes_of(const std::vector<at::Device>& devices) {
  std::vector<Outcome> all;
  SelfTest(devices, [&](const Outcome& outcome) { all.push_back(outcome); }).run();
  return all;
}

TEST(SelfTestOfTheCpu, FindsNothingWrong) {
  int ok = 0, not_tried = 0;
  for (const Outcome& outcome : outcomes_of({at::kCPU, at::kCPU})) {
    ok += outcome.verdict == Verdict::ok;
    not_tried += outcome.verdict == Verdict::not_tried;
    EXPECT_THAT(outcome.verdict, testing::AnyOf(Verdict::ok, Verdict::not_tried))
        << outcome.path << ": " << outcome.text;
    EXPECT_NE(outcome.text, "");
  }
  EXPECT_GE(ok, 20);
  EXPECT_GE(not_tried, 1);
}

TEST(SelfTestOfTheCpu, SeesWhatDiffers) {
  const at::Tensor one = at::tensor({1.0F, 2.0F}), other = at::tensor({1.0F, 2.001F});
  EXPECT_EQ(near(other, one, 1e-2).verdict, Verdict::ok);
  EXPECT_EQ(near(other, one, 1e-4).verdict, Verdict::differs);
  EXPECT_EQ(near(other, one, 0).verdict, Verdict::differs);
  EXPECT_EQ(near(one, one, 0).verdict, Verdict::ok);
  EXPECT_EQ(near(at::tensor({1.0F}), one, 1).verdict, Verdict::differs);
  const at::Tensor nan = at::tensor({1.0F, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(near(nan, one, 1).verdict, Verdict::differs);
  EXPECT_EQ(same("a", "b", "other").verdict, Verdict::differs);
}

TEST(SelfTestOfTheCpu, TellsWhatAPathThrows) {
  std::vector<Outcome> all;
  SelfTest test({at::kCPU}, [&](const Outcome& outcome) { all.push_back(outcome); });
  test.attempt("a path", []() -> Outcome { throw std::runtime_error("it broke"); });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].verdict, Verdict::failed);
  EXPECT_EQ(all[0].text, "it broke");
}

}  // namespace
}  // namespace windrow::worker
