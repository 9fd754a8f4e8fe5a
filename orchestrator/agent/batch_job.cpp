#include "orchestrator/agent/batch_job.h"

#include <cstdlib>

#include "orchestrator/process/host_facts.h"

namespace windrow {

protocol::BatchJob read_batch_job(const std::function<std::string(const char* name)>& variable) {
  protocol::BatchJob job;
  job.id = variable("SLURM_JOB_ID");
  if (job.id.empty()) return job;
  const std::string array = variable("SLURM_ARRAY_JOB_ID"), task = variable("SLURM_ARRAY_TASK_ID");
  if (!array.empty() && !task.empty()) job.id = array + "_" + task;
  job.restarts = std::atoi(variable("SLURM_RESTART_COUNT").c_str());
  job.node = variable("SLURMD_NODENAME");
  job.ends_at_ms = std::atoll(variable("SLURM_JOB_END_TIME").c_str()) * 1000;
  return job;
}

protocol::BatchJob read_batch_job() {
  return read_batch_job(variable);
}

}  // namespace windrow
