#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/submit/batch_body.h"
#include "orchestrator/submit/job.h"

namespace windrow::submit {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Job small() {
  Job job;
  job.name = "p1";
  job.program_folder = "/opt/windrow/bin";
  job.arguments = {"/home/me/p1.yaml", "--db", "/home/me/p1.db"};
  return job;
}

TEST(BatchScript, AsksForWhatWasGivenAndNothingElse) {
  Job job = small();
  job.nodes = 4;
  job.gpus_per_node = 8;
  job.cpus_per_task = 64;
  job.seconds = 90000;
  job.partition = "gpu";
  job.constraint = "a100&nvlink";
  job.more = {"--mem=64G"};
  job.lead_seconds = 181.6;
  const std::string script = batch_script(job, batch_body);
  for (const char* line :
       {"#!/bin/bash\n", "#SBATCH --job-name=windrow-p1\n", "#SBATCH --nodes=4\n",
        "#SBATCH --ntasks-per-node=1\n", "#SBATCH --gpus-per-node=8\n",
        "#SBATCH --cpus-per-task=64\n", "#SBATCH --time=1-01:00:00\n", "#SBATCH --partition=gpu\n",
        "#SBATCH --constraint=a100&nvlink\n", "#SBATCH --signal=B:USR1@182\n",
        "#SBATCH --no-kill\n", "#SBATCH --requeue\n", "#SBATCH --open-mode=append\n",
        "#SBATCH --mem=64G\n"})
    EXPECT_THAT(script, HasSubstr(line));
  for (const char* absent : {"--account", "--qos", "--gres", "<-", "usage: sbatch slurm"})
    EXPECT_THAT(script.substr(0, script.find("set -u")), Not(HasSubstr(absent)));
  EXPECT_THAT(script, HasSubstr("set -- '/home/me/p1.yaml' '--db' '/home/me/p1.db'\n"));
  EXPECT_THAT(script, HasSubstr("\"${windrow[@]}\" status \"$study\""));
  EXPECT_THAT(batch_script(small(), batch_body), Not(HasSubstr("--gpus")));
}

TEST(BatchScript, AChainsJobsDontComeBack) {
  Job job = small();
  job.requeues = false;
  EXPECT_THAT(batch_script(job, batch_body), HasSubstr("#SBATCH --no-requeue\n"));
  EXPECT_THAT(batch_script(job, batch_body), HasSubstr("windrow_requeues=no\n"));
}

TEST(BatchScript, NoNameIsRun) {
  Job job = small();
  job.name = "a b\n$(touch x)";
  job.arguments = {"/tmp/it's $(touch y)\n.yaml"};
  job.modules = {"gcc; touch z"};
  const std::string script = batch_script(job, batch_body);
  EXPECT_THAT(script, HasSubstr("#SBATCH --job-name=windrow-a_b___touch_x_\n"));
  EXPECT_THAT(script, HasSubstr("set -- '/tmp/it'\\''s $(touch y)\n.yaml'\n"));
  EXPECT_THAT(script, HasSubstr("module load 'gcc; touch z' || exit 2\n"));
}

TEST(Job, WhatNoNameOfSlurmsHasIsRefused) {
  EXPECT_THAT(faults_of(small()), IsEmpty());
  Job job = small();
  job.partition = "$(id)";
  job.account = "a b";
  job.more = {"--mem=64G", "--comment=x y", "mem"};
  EXPECT_THAT(faults_of(job), SizeIs(4));
  EXPECT_THAT(faults_of(job)[0], HasSubstr("--partition '$(id)'"));
}

TEST(Time, IsReadAsSlurmReadsIt) {
  EXPECT_EQ(parse_time("90"), 5400);
  EXPECT_EQ(parse_time("90:30"), 5430);
  EXPECT_EQ(parse_time("12:00:00"), 43200);
  EXPECT_EQ(parse_time("1-06"), 108000);
  EXPECT_EQ(parse_time("1-06:30"), 109800);
  EXPECT_EQ(parse_time("2-00:00:10"), 172810);
  for (const char* bad : {"", "0", "x", "1:", "1:2:3:4", "-1", "1-", "12h", "1e3", "1-2-3"})
    EXPECT_EQ(parse_time(bad), std::nullopt) << bad;
  for (const double seconds : {61.0, 43200.0, 109800.0})
    EXPECT_EQ(parse_time(format_time(seconds)), seconds);
}

TEST(Lead, FitsTheEpochAndTheLimit) {
  EXPECT_EQ(lead_for(43200, 0), 300);
  EXPECT_EQ(lead_for(43200, 10), 120);
  EXPECT_EQ(lead_for(43200, 600), 960);
  EXPECT_EQ(lead_for(60, 10), 30) << "never so long that the job is told at once";
}

}  // namespace
}  // namespace windrow::submit
