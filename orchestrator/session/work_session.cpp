#include "orchestrator/session/work_session.h"

#include <csignal>
#include <iostream>
#include <stdexcept>

#include "orchestrator/agent/agent.h"
#include "orchestrator/agent/local_host.h"
#include "orchestrator/control/door_file.h"
#include "orchestrator/exit_codes.h"
#include "orchestrator/process/open_files.h"
#include "orchestrator/session/backoff.h"
#include "orchestrator/session/preflight.h"
#include "orchestrator/session/rank_loop.h"
#include "orchestrator/session/running_clock.h"
#include "orchestrator/session/stop_signals.h"
#include "orchestrator/session/time_limit.h"
#include "orchestrator/transport/door.h"
#include "orchestrator/transport/transport.h"
#include "storage/process.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr seconds kLook{2};      // for a run that is not there
constexpr double kConnect = 3;   // seconds for each address
constexpr double kWelcome = 30;  // seconds in which the run must have answered

class WorkSession {
 public:
  explicit WorkSession(const WorkOptions& options)
      : options_(options), console_(options.verbosity), open_files_(raise_open_files_limit()) {
    for (const auto& [number, name] : kStopSignals)
      loop_.on_signal(number, [this, number, name] { on_stop_signal(number, name); });
    limit_ = time_limit(options.until);
    const DeviceFacts devices = read_device_facts();
    slots_ = choose_slots(devices, options.slots, {0, 1}, {0, 1});
    if (const auto fault = open_files_fault(static_cast<int>(slots_.size()), open_files_.now))
      throw std::runtime_error(*fault);
    if (!devices.warning.empty()) console_.log("warning", devices.warning);
    const int cores = cores_of(devices, {0, 1});
    if (const auto remark = core_use(slots_, options.slots, cores); !remark.empty())
      console_.log("info", remark);
  }

  int run() {
    auto waits_since = Clock::now();
    bool told = false;
    while (!stop_asked_ && !time_is_up()) {
      const auto card = control::read_door_file(control::door_file(options_.database));
      const std::string address = card ? reachable_address(*card, kConnect) : "";
      if (!address.empty() && take_part(*card, address)) return exit_code_;
      if (!address.empty()) waits_since = Clock::now();  // it was there
      if (Clock::now() - waits_since > seconds(static_cast<long>(options_.wait_seconds)))
        return give_up(card.has_value());
      if (!std::exchange(told, true))
        console_.log("info",
                     "waits for a run at " + control::door_file(options_.database).string());
      loop_.run_once(kLook);
    }
    return kAllDone;
  }

 private:
  bool time_is_up() const {
    return limit_.until && std::chrono::system_clock::now() >= *limit_.until;
  }

  int give_up(bool has_card) {
    console_.log("error", has_card ? "the run doesn't answer: was it killed? start it again"
                                   : "no run to join: start one by `windrow run STUDY --serve "
                                     "--db " +
                                         options_.database.string() + "`");
    return kInterrupted;
  }

  // False: the run was lost, and may come back. Else exit_code_ says how it ended.
  bool take_part(const DoorCard& card, const std::string& address) {
    std::error_code error;
    fs::current_path(card.folder, error);  // programs and data are named from there
    if (error)
      console_.log("warning", card.folder +
                                  ", from which the run was started, is not to be had "
                                  "here: relative paths of its programs and data fail");
    Transport transport(join_door(card, address));
    AgentOptions options{.host = storage::this_process().host,
                         .slots = slots_,
                         .job = limit_.job,
                         .guest = true,
                         .until_ms = unix_ms(limit_.until),
                         .trainer = {trainer_program(options_.trainer)},
                         .welcome_seconds = kWelcome};
    agent_ = std::make_unique<Agent>(
        host_, std::move(options), [this] { return clock_.now(); },
        [&](protocol::FromAgent message) { transport.send_to_coordinator(std::move(message)); },
        [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    agent_->say_hello();
    console_.log("info", "works for the run on " + card.host + " with " +
                             std::to_string(slots_.size()) + " slots");
    loop_until_gone(transport);
    const bool again = agent_->may_come_again();
    const std::string error_text = agent_->error();
    agent_.reset();  // with its trainers
    if (again && !stop_asked_) {
      console_.log("warning", error_text);
      return false;
    }
    if (!error_text.empty() && !again) {
      console_.log("error", error_text);
      exit_code_ = kUsage;
    }
    return true;
  }

  void loop_until_gone(Transport& transport) {
    Backoff backoff;
    RankLoop rank(transport, *agent_, nullptr, [this] { return clock_.now(); });
    while (!rank.over()) {
      const RankLoop::Pass pass = rank.pass();
      const int events =
          loop_.run_once(std::min<std::chrono::nanoseconds>(pass.wait, backoff.wait()));
      backoff.after(pass.delivered + events > 0);
    }
  }

  void on_stop_signal(int number, const char* name) {
    const bool again = std::exchange(stop_asked_, true) && number == SIGINT;
    std::optional<double> within;
    if (options_.stop_within_seconds > 0) within = options_.stop_within_seconds;
    if (number == SIGTERM && !within) within = kTerminateSeconds;
    console_.log("info", std::string(name) + ": leaves after the epochs in progress");
    if (agent_) agent_->stop(again, within);
  }

  const WorkOptions& options_;
  Console console_;
  OpenFilesLimit open_files_;
  EventLoop loop_;
  LocalHost host_{loop_, open_files_.before};
  RunningClock clock_{Clock::now()};
  TimeLimit limit_;
  std::vector<protocol::SlotInfo> slots_;
  std::unique_ptr<Agent> agent_;
  bool stop_asked_ = false;
  int exit_code_ = kAllDone;
};

}  // namespace

int work_session(const WorkOptions& options) {
  return WorkSession(options).run();
}

}  // namespace windrow
