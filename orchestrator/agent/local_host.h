// This machine, as an agent's host.
#pragma once

#include <sys/resource.h>

#include <optional>

#include "orchestrator/agent/folder_remover.h"
#include "orchestrator/agent/host.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/process/memory_kills.h"
#include "orchestrator/process/memory_limit.h"

namespace windrow {

// Its trainers tell what they tell from within loop.run_once().
class LocalHost : public Host {
 public:
  // `open_files`: the soft limit that trainers get; nullopt: this process's.
  explicit LocalHost(EventLoop& loop, std::optional<rlim_t> open_files = std::nullopt)
      : loop_(loop), open_files_(open_files) {
    look_for_memory_kills();
  }

  std::unique_ptr<TrainerStarter> trainers() override;
  std::unique_ptr<TrialLog> trial_log() override { return std::make_unique<TrialLog>(); }
  void make_folder(const std::string& folder) override;
  bool holds_files(const std::string& folder) const override;
  void remove_folder(std::string folder) override { remover_.remove(std::move(folder)); }
  Program watch_program(const protocol::TrainerSettings& trainer, bool shipped) override;
  protocol::Json environment(const std::vector<std::string>& command) override;
  bool memory_ran_out() const override { return memory_kills_.lately(); }
  void look_for_memory_kills() override { memory_kills_.tick(std::chrono::steady_clock::now()); }
  std::int64_t memory_limit() const override { return windrow::memory_limit(); }
  std::chrono::system_clock::time_point time_of_day() const override {
    return std::chrono::system_clock::now();
  }

 private:
  EventLoop& loop_;
  std::optional<rlim_t> open_files_;
  FolderRemover remover_;
  MemoryKills memory_kills_;
};

}  // namespace windrow
