// What an agent finds around it on its host: processes, folders, the files of its program, the time
// of day. LocalHost is this machine; the simulation has another.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/agent/trial_log.h"
#include "orchestrator/process/trainer_process.h"
#include "protocol/messages.h"

namespace windrow {

class Host {
 public:
  virtual ~Host() = default;

  // For one slot. The host outlives it.
  virtual std::unique_ptr<TrainerStarter> trainers() = 0;
  // What one slot's trainers write, kept; nullptr: nothing is.
  virtual std::unique_ptr<TrialLog> trial_log() = 0;

  // The folder of a trial's checkpoints. Throws std::system_error where it can't be made.
  virtual void make_folder(const std::string& folder) = 0;
  // Anything that is not ours.
  virtual bool holds_files(const std::string& folder) const = 0;
  // With all that is in it, in the background; errors are of no consequence.
  virtual void remove_folder(std::string folder) = 0;

  // What the trainer's command is made of, each time it is asked; see ProgramWatch.
  using Program = std::function<const protocol::Program&()>;
  virtual Program watch_program(const protocol::TrainerSettings& trainer, bool shipped) = 0;
  // See origin::environment_facts().
  virtual protocol::Json environment(const std::vector<std::string>& command) = 0;

  // Whether the kernel killed processes here a moment ago, since memory ran out; for which it looks
  // at each tick of the agent. See MemoryKills.
  virtual bool memory_ran_out() const = 0;
  virtual void look_for_memory_kills() = 0;
  // Bytes that all processes here have together; 0: not known.
  virtual std::int64_t memory_limit() const = 0;

  virtual std::chrono::system_clock::time_point time_of_day() const = 0;
};

}  // namespace windrow
