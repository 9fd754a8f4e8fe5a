// Every path of the GPU against the CPU, where there is a GPU: a test a path.
#include <gtest/gtest.h>

#include "worker/device/device.h"
#include "worker/selftest/selftest.h"

namespace windrow::worker {
namespace {

struct Path {
  const char* name;
  void (*check)(SelfTest&);
};

class Cuda : public testing::TestWithParam<Path> {};

TEST_P(Cuda, ComputesWhatTheCpuDoes) {
  if (count_gpus() == 0) GTEST_SKIP() << "no GPU is visible";
  SelfTest test(selftest_devices(), [](const Outcome& outcome) {
    EXPECT_NE(outcome.verdict, Outcome::Verdict::differs) << outcome.path << ": " << outcome.text;
    EXPECT_NE(outcome.verdict, Outcome::Verdict::failed) << outcome.path << ": " << outcome.text;
  });
  GetParam().check(test);
}

INSTANTIATE_TEST_SUITE_P(Paths, Cuda,
                         testing::Values(Path{"DataPaths", check_data_paths},
                                         Path{"Models", check_models},
                                         Path{"Optimizers", check_optimizers},
                                         Path{"Training", check_training}, Path{"Gang", check_gang},
                                         Path{"Failures", check_failures}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace windrow::worker
