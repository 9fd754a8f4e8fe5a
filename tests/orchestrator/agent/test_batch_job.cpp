// What Slurm's environment says of the job.
#include <gtest/gtest.h>

#include <map>

#include "orchestrator/agent/batch_job.h"

namespace windrow {
namespace {

protocol::BatchJob job_of(std::map<std::string, std::string> variables) {
  return read_batch_job([&](const char* name) { return variables[name]; });
}

TEST(BatchJob, OutsideOfOneThereIsNone) {
  EXPECT_EQ(job_of({{"SLURMD_NODENAME", "n1"}}), protocol::BatchJob{});
}

TEST(BatchJob, HasNumberNodeRequeuesAndEnd) {
  EXPECT_EQ(job_of({{"SLURM_JOB_ID", "4711"},
                    {"SLURMD_NODENAME", "n1"},
                    {"SLURM_RESTART_COUNT", "2"},
                    {"SLURM_JOB_END_TIME", "1767261600"}}),
            (protocol::BatchJob{"4711", 2, "n1", 1767261600000}));
}

TEST(BatchJob, OfAnArrayIsNamedAsUsersNameIt) {
  EXPECT_EQ(
      job_of(
          {{"SLURM_JOB_ID", "4713"}, {"SLURM_ARRAY_JOB_ID", "4711"}, {"SLURM_ARRAY_TASK_ID", "2"}})
          .id,
      "4711_2");
}

}  // namespace
}  // namespace windrow
