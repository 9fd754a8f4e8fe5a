// What attempts cost, and how it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/results/cost.h"

namespace windrow {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr double kDay = 86400 * 20000.0;  // 2024-10-04

AttemptCost attempt(std::int64_t trial, double begin_hour, double hours,
                    const std::string& device = "cpu", const std::string& outcome = "finished") {
  AttemptCost cost;
  cost.trial = trial;
  cost.host = "n1";
  cost.device = device;
  cost.outcome = outcome;
  cost.began = kDay + begin_hour * 3600;
  cost.ended = cost.began + hours * 3600;
  return cost;
}

auto hours(double value) {
  return DoubleNear(value, 1e-9);
}

TEST(GpuHours, AreOfTheGpuAndNotOfTheSlotsThatShareIt) {
  EXPECT_THAT(gpu_hours({attempt(1, 0, 2, "cuda:0"), attempt(2, 1, 2, "cuda:0"),
                         attempt(3, 0, 2, "cuda:1"), attempt(4, 0, 5)}),
              ElementsAre(hours(1.5), hours(1.5), hours(2), hours(0)));
}

TEST(GpuHours, OtherRanksHaveOtherGpus) {
  AttemptCost other = attempt(2, 0, 2, "cuda:0");
  other.rank = 1;
  EXPECT_THAT(gpu_hours({attempt(1, 0, 2, "cuda:0"), other}), ElementsAre(hours(2), hours(2)));
}

TEST(GpuHours, CountWhatOtherMembersOfAGangTrained) {
  AttemptCost lead = attempt(1, 0, 2, "cuda:0");
  lead.member_seconds = 3600;
  EXPECT_THAT(gpu_hours({lead}), ElementsAre(hours(3)));
}

TEST(Cost, IsSummedUpByHowAttemptsEnded) {
  auto failed = attempt(1, 0, 1, "cpu", "crash");
  failed.cpu_seconds = 1800;
  auto stopped = attempt(1, 1, 2, "cpu", "preempted");
  auto good = attempt(1, 24, 3);
  good.cpu_seconds = 3600;
  good.peak_memory = 3.0 * (1 << 30);
  const StudyCost cost = sum_up({failed, stopped, good});
  ASSERT_EQ(cost.lines.size(), 3u);
  EXPECT_EQ(cost.lines[0].how, "finished");
  EXPECT_EQ(cost.lines[1].how, "interrupted");
  EXPECT_THAT(cost.lines[1].hours, hours(2));
  EXPECT_EQ(cost.lines[2].how, "failed");
  EXPECT_THAT(cost.lines[2].cpu_hours, hours(0.5));
  EXPECT_THAT(cost.total.hours, hours(6));
  EXPECT_EQ(cost.trials, 1);
  EXPECT_EQ(cost.without_cpu_time, 1);
  EXPECT_EQ(cost.first, "2024-10-04");
  EXPECT_EQ(cost.last, "2024-10-05");
}

TEST(Cost, MachinesEndsAreNoFailures) {
  for (const char* outcome : {"lost", "node", "preempted", "cancelled", "gang"})
    EXPECT_EQ(how_it_ended(outcome), "interrupted");
  for (const char* outcome : {"crash", "nan", "oom", "hang"})
    EXPECT_EQ(how_it_ended(outcome), "failed");
}

TEST(ComputeStatement, SaysWhatAPaperWants) {
  auto one = attempt(1, 0, 2, "cuda:0"), two = attempt(2, 2, 2, "cuda:0");
  auto failed = attempt(2, 4, 1, "cuda:0", "oom");
  for (AttemptCost* each : {&one, &two, &failed}) each->cpu_seconds = 1800;
  two.peak_memory = 3.0 * (1 << 30);
  two.peak_device_memory = 12.0 * (1 << 30);
  StudyCost cost = sum_up({one, two, failed});
  cost.gpus = {"NVIDIA A100"};
  EXPECT_EQ(compute_statement(cost, "p1"),
            "The 2 finished trials of study p1 and what was tried for them took 5.00 GPU-hours "
            "(NVIDIA A100) and 1.50 CPU-hours on 1 host on 2024-10-04. Of these, 1.00 GPU-hours "
            "(20%) went to 1 interrupted or failed attempt. A trial took 2.50 GPU-hours on average "
            "and at most 3.0 GiB of host memory and 12 GiB of GPU memory.");
}

TEST(ComputeStatement, ClaimsNoCpuTimeThatIsNotKnown) {
  const std::string said = compute_statement(sum_up({attempt(1, 0, 2)}), "p1");
  EXPECT_THAT(said, HasSubstr("took 2.00 slot-hours on 1 host"));
  EXPECT_THAT(said, Not(HasSubstr("CPU-hours")));
}

}  // namespace
}  // namespace windrow
