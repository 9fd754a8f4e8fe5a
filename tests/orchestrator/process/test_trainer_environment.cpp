#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/process/trainer_environment.h"

namespace windrow {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const std::string kUnbuffered = "PYTHONUNBUFFERED=1";

TEST(TrainerEnvironment, AddsAndReplaces) {
  EXPECT_THAT(trainer_environment({"A=1", "B=2"}, {{"B", "x=y"}, {"C", ""}}),
              ElementsAre("A=1", "B=x=y", "C=", kUnbuffered));
}

TEST(TrainerEnvironment, PythonIsUnbufferedUnlessTheUserSaysOtherwise) {
  EXPECT_THAT(trainer_environment({}, {}), ElementsAre(kUnbuffered));
  EXPECT_THAT(trainer_environment({"PYTHONUNBUFFERED="}, {}), ElementsAre("PYTHONUNBUFFERED="));
  EXPECT_THAT(trainer_environment({}, {{"PYTHONUNBUFFERED", "0"}}),
              ElementsAre("PYTHONUNBUFFERED=0"));
}

TEST(TrainerEnvironment, LaunchersVariablesAreRemoved) {
  for (const char* variable :
       {"OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_UNIVERSE_SIZE=2",
        "OMPI_MCA_ess_base_vpid=1", "PMIX_RANK=1", "PMIX_SERVER_URI4=x", "PMIX_MCA_gds=hash",
        "PMI_RANK=0", "PMI_FD=5", "PRTE_LAUNCHED=1", "HYDI_CONTROL_FD=3", "HYDRA_LAUNCHER=ssh",
        "MPI_LOCALRANKID=0", "MPI_LOCALNRANKS=2", "MV2_COMM_WORLD_RANK=1", "PALS_RANKID=1",
        "FLUX_TASK_RANK=1", "JSM_NAMESPACE_RANK=1"})
    EXPECT_THAT(trainer_environment({"PMIX_RANK=1", variable}, {}), ElementsAre(kUnbuffered))
        << variable;
}

TEST(TrainerEnvironment, OfSlurmTheStepsVariablesGoAndTheJobsStay) {
  for (const char* variable : {"SLURM_NTASKS=2",
                               "SLURM_NPROCS=2",
                               "SLURM_NTASKS_PER_NODE=1",
                               "SLURM_PROCID=1",
                               "SLURM_LOCALID=0",
                               "SLURM_NODEID=0",
                               "SLURM_NNODES=2",
                               "SLURM_STEP_ID=0",
                               "SLURM_STEPID=0",
                               "SLURM_STEP_NUM_TASKS=2",
                               "SLURM_STEP_NODELIST=n1",
                               "SLURM_TASKS_PER_NODE=1(x2)",
                               "SLURM_TASK_PID=99",
                               "SLURM_GTIDS=0",
                               "SLURM_LAUNCH_NODE_IPADDR=192.0.2.1",
                               "SLURM_SRUN_COMM_HOST=192.0.2.1",
                               "SLURM_SRUN_COMM_PORT=1",
                               "SLURM_MPI_TYPE=pmix",
                               "SLURM_PMIXP_ABORT_AGENT_PORT=1",
                               "SLURM_DISTRIBUTION=block"})
    EXPECT_THAT(trainer_environment({variable}, {}), ElementsAre(kUnbuffered)) << variable;
  for (const char* variable :
       {"SLURM_JOB_ID=7", "SLURM_JOBID=7", "SLURM_JOB_NAME=study", "SLURM_SUBMIT_DIR=/home/me",
        "SLURM_JOB_NODELIST=n[1-2]", "SLURM_CPUS_PER_TASK=8", "SLURM_ARRAY_TASK_ID=3",
        "SLURM_JOB_END_TIME=1", "SLURM_TMPDIR=/scratch", "SLURMD_NODENAME=n1"})
    EXPECT_THAT(trainer_environment({variable}, {}), ElementsAre(variable, kUnbuffered));
}

TEST(TrainerEnvironment, WhatAUserSetsForMpirunInATrainerStays) {
  EXPECT_THAT(
      trainer_environment(
          {"PMIX_RANK=0", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"}, {}),
      ElementsAre("OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", kUnbuffered));
  const std::vector<std::string> tuning{"OMPI_MCA_btl=self,tcp"};
  EXPECT_THAT(trainer_environment(tuning, {}), Contains(tuning[0]));
  // mpirun adds its own and those can't be told apart.
  EXPECT_THAT(trainer_environment({tuning[0], "OMPI_COMM_WORLD_RANK=0"}, {}),
              Not(Contains(tuning[0])));
}

TEST(TrainerEnvironment, OverridesNameWhatTheUserHadSetOtherwise) {
  const Variables slot{{"OMP_NUM_THREADS", "1"}, {"MKL_NUM_THREADS", "1"}, {"CUDA", "0"}};
  EXPECT_THAT(overrides({"HOME=/root", "CUDA=0"}, slot), IsEmpty());
  const std::vector<Override> found = overrides({"OMP_NUM_THREADS=8", "MKL_NUM_THREADS=1"}, slot);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "OMP_NUM_THREADS");
  EXPECT_EQ(found[0].users, "8");
  EXPECT_EQ(found[0].trainers, "1");
}

}  // namespace
}  // namespace windrow
