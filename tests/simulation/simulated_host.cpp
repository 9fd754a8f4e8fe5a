#include "tests/simulation/simulated_host.h"

#include <system_error>

namespace windrow::simulation {
namespace {

// The agent's end of a process.
class Handle : public TrainerProcess {
 public:
  explicit Handle(std::shared_ptr<SimulatedProcess> process) : process_(std::move(process)) {}
  ~Handle() override { process_->let_go(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  pid_t pid() const override { return 0; }  // there is nothing to measure
  void write(std::string_view text) override { process_->write(text); }
  void close_stdin() override { process_->close_stdin(); }
  void signal(int number) override { process_->signal(number); }
  bool lock(const LockPlace& place) override { return process_->lock(place); }
  void unlock() override { process_->unlock(); }
  std::optional<ChildExit> poll_exit() override { return process_->exit(); }
  std::string stderr_tail() const override { return ""; }

 private:
  std::shared_ptr<SimulatedProcess> process_;
};

class Starter : public TrainerStarter {
 public:
  Starter(Cluster& cluster, Machine& machine, int slot, SimulatedProcess::Post post)
      : cluster_(cluster), machine_(machine), slot_(slot), post_(std::move(post)) {}

  std::unique_ptr<TrainerProcess> start(const ChildCommand& command, ChildEvents events) override {
    if (machine_.refused_starts > 0) {
      --machine_.refused_starts;
      cluster_.world.fault("no process can be started", machine_.name);
      throw std::system_error(EAGAIN, std::generic_category(), "can't start train");
    }
    auto process = std::make_shared<SimulatedProcess>(cluster_, machine_, slot_, command,
                                                      std::move(events), post_);
    process->begin();
    return std::make_unique<Handle>(std::move(process));
  }

 private:
  Cluster& cluster_;
  Machine& machine_;
  int slot_;
  SimulatedProcess::Post post_;
};

}  // namespace

std::unique_ptr<TrainerStarter> SimulatedHost::trainers() {
  return std::make_unique<Starter>(cluster_, machine_, slots_++, post_);
}

void SimulatedHost::remove_folder(std::string folder) {
  cluster_.world.say(machine_.name, "removes " + folder.substr(folder.rfind('/') + 1));
  cluster_.folder.remove(folder);
}

Host::Program SimulatedHost::watch_program(const protocol::TrainerSettings& trainer, bool) {
  return [program = protocol::Program{.hash = "p1",
                                      .command = trainer.command}]() -> const protocol::Program& {
    return program;
  };
}

std::chrono::system_clock::time_point SimulatedHost::time_of_day() const {
  return simulation::time_of_day(cluster_.world.now());
}

std::chrono::system_clock::time_point time_of_day(Time time) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(time.time_since_epoch()));
}

}  // namespace windrow::simulation
