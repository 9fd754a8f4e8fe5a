#include "orchestrator/agent/local_host.h"

#include <filesystem>
#include <system_error>

#include "orchestrator/origin/environment.h"
#include "orchestrator/origin/program_watch.h"
#include "orchestrator/process/child_process.h"

namespace windrow {

namespace fs = std::filesystem;

namespace {

// Each slot has guards of its own.
class GuardedStarter : public TrainerStarter {
 public:
  GuardedStarter(EventLoop& loop, std::optional<rlim_t> open_files) : guards_(loop, open_files) {}
  std::unique_ptr<TrainerProcess> start(const ChildCommand& command, ChildEvents events) override {
    return std::make_unique<ChildProcess>(guards_, command, std::move(events));
  }

 private:
  GuardPool guards_;
};

}  // namespace

std::unique_ptr<TrainerStarter> LocalHost::trainers() {
  return std::make_unique<GuardedStarter>(loop_, open_files_);
}

void LocalHost::make_folder(const std::string& folder) {
  fs::create_directories(folder);
}

bool LocalHost::holds_files(const std::string& folder) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (!entry.path().filename().string().starts_with(".windrow")) return true;
  return false;
}

Host::Program LocalHost::watch_program(const protocol::TrainerSettings& trainer, bool shipped) {
  const auto watch = std::make_shared<origin::ProgramWatch>(trainer, fs::current_path(), shipped);
  return [watch]() -> const protocol::Program& { return watch->now(); };
}

protocol::Json LocalHost::environment(const std::vector<std::string>& command) {
  return origin::environment_facts(command);
}

}  // namespace windrow
