#include "orchestrator/session/run_session.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "orchestrator/agent/agent.h"
#include "orchestrator/agent/batch_job.h"
#include "orchestrator/agent/local_host.h"
#include "orchestrator/console/progress.h"
#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/coordinator/trial_folder.h"
#include "orchestrator/exit_codes.h"
#include "orchestrator/origin/own_files.h"
#include "orchestrator/process/open_files.h"
#include "orchestrator/results/stored_study.h"
#include "orchestrator/session/backoff.h"
#include "orchestrator/session/checkpoint_owner.h"
#include "orchestrator/session/kept_before.h"
#include "orchestrator/session/live_page.h"
#include "orchestrator/session/mpi_limit.h"
#include "orchestrator/session/notices.h"
#include "orchestrator/session/preflight.h"
#include "orchestrator/session/public_side.h"
#include "orchestrator/session/rank_loop.h"
#include "orchestrator/session/run_program.h"
#include "orchestrator/session/running_clock.h"
#include "orchestrator/session/scratch_folder.h"
#include "orchestrator/session/smoke_run.h"
#include "orchestrator/session/source_watch.h"
#include "orchestrator/session/stop_signals.h"
#include "orchestrator/session/summary.h"
#include "orchestrator/session/time_limit.h"
#include "orchestrator/transport/load_link.h"
#include "orchestrator/transport/transport.h"
#include "storage/process.h"
#include "storage/reader.h"
#include "sweeps/smoke.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

sweeps::Study read_whole_study(const RunOptions& options) {
  if (!options.study_file.empty()) return sweeps::load_study(options.study_file, options.overrides);
  storage::Reader reader(options.database);
  const storage::StudyInfo stored =
      stored_study(reader, options.database.string(), options.study_name);
  return sweeps::parse_study(
      stored.text, options.database.string() + " (study " + stored.name + ")", options.overrides);
}

sweeps::Study read_study(const RunOptions& options) {
  sweeps::Study study = read_whole_study(options);
  return options.smoke ? sweeps::smoke_study(study, sweeps::smoke_cells(study, expand(study)))
                       : study;
}

// Of the program's first file; where it starts, if it has none.
fs::path code_folder(const protocol::TrainerSettings& trainer) {
  const auto files = origin::own_files(trainer.command, trainer.files, fs::current_path());
  return files.empty() ? fs::current_path() : files.front().parent_path();
}

// The hash of the study as this rank sees it; "" where it can't see the file.
std::string seen_study_hash(const RunOptions& options) {
  if (options.study_file.empty() || !fs::exists(options.study_file)) return "";
  try {
    return read_study(options).hash;
  } catch (const sweeps::StudyError&) {
    return "unreadable";
  }
}

// Of the shipped tasks, whose trainer sends a heartbeat several times a second.
constexpr double kShippedHangSeconds = 120;

// Before the loop runs, signals wait.
bool stop_signal_waits() {
  sigset_t waiting;
  sigpending(&waiting);
  return std::ranges::any_of(
      kStopSignals, [&](const auto& signal) { return sigismember(&waiting, signal.first) == 1; });
}

// What rank 0 has beyond an agent.
struct Head {
  sweeps::Study study;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<PublicSide> public_side;
  std::optional<SourceWatch> source;  // of a program of the user's own
  std::unique_ptr<Notices> notices;
  std::unique_ptr<LivePage> page;
};

class Session {
 public:
  explicit Session(const RunOptions& options)
      : options_(options), console_(options.verbosity), open_files_(raise_open_files_limit()) {
    // Before MPI starts its threads, so that they inherit the blocked signals.
    for (const auto& [number, name] : kStopSignals)
      loop_.on_signal(number, [this, number, name] { on_stop_signal(number, name); });
    if (under_launcher()) {
      const MpiLimit limit(
          startup_seconds(), kInterrupted,
          "windrow: MPI has not started in good time; did a rank die? the same command goes on\n");
      LoadedLink loaded = load_mpi_link();
      transport_ = Transport(std::move(loaded.link));
      if (transport_.size() == 1)
        if (const std::string fault = lone_rank_fault(loaded.library); !fault.empty())
          throw std::runtime_error(fault);
      share_devices();
    } else {
      share_devices();
    }
  }

  int run() {
    if (transport_.rank() == 0) {
      try {
        prepare_head();
      } catch (...) {
        const int exit_code = report_exception(kUsage);
        dismiss_others("rank 0 can't begin");
        end_transport(exit_code);
        return exit_code;
      }
    }
    prepare_agent();
    try {
      loop_until_over();
    } catch (...) {
      const int exit_code = report_exception(kInterrupted);
      agent_.reset();  // ends its trainers
      dismiss_others("rank 0 can't go on");
      if (transport_.size() > 1) leave_without_mpi_end(exit_code);
      return exit_code;
    }
    return finish();
  }

 private:
  void prepare_head() {
    head_.study = read_study(options_);
    if (options_.smoke) {
      scratch_.emplace(options_.database, "smoke");
      options_.database = scratch_->path() / "windrow.db";
      options_.checkpoints.clear();
      options_.page.clear();
    }
    const std::string data_dir = data_folder(options_.data_dir);
    const auto faults = preflight_faults(head_.study, trainer_program(options_.trainer), data_dir);
    if (!faults.empty()) {
      std::string text;
      for (const std::string& fault : faults) text += (text.empty() ? "" : "\n") + fault;
      throw std::runtime_error(text);
    }
    const TimeLimit limit = time_limit(options_.until);
    CoordinatorOptions coordinator{
        .agents = transport_.size(),
        .serves = options_.serve.has_value(),
        .data_dir = data_dir,
        .lost_seconds = options_.lost_seconds,
        .stop_within_seconds = options_.stop_within_seconds,
        .until = limit.until,
        .order = options_.order,
        .gangs = options_.gangs,
        .first_epochs_only = options_.smoke && budget_parameter(head_.study).empty(),
        .stop_after_failures = options_.stop_after_failures,
        .job = limit.job};
    if (options_.hang_seconds)
      head_.study.trainer.hang_seconds = *options_.hang_seconds;
    else if (head_.study.trainer.command.empty())
      head_.study.trainer.hang_seconds = kShippedHangSeconds;
    // A member that waits for another one says nothing meanwhile, which must not pass for a hang.
    if (const double hang = head_.study.trainer.hang_seconds; hang > 0)
      coordinator.gang_deadline = hang / 2;
    const fs::path checkpoints =
        fs::absolute(options_.checkpoints.empty() ? options_.database.string() + ".checkpoints"
                                                  : options_.checkpoints);
    head_.store = std::make_unique<storage::Store>(
        options_.database, storage::StoreOptions{.interrupted = stop_signal_waits});
    check_can_write(checkpoints);
    coordinator.checkpoints = own_root(checkpoints);
    if (sweeps::kept_checkpoints(head_.study).count > 0) {
      storage::Reader reader(options_.database);
      coordinator.kept = kept_before(reader, head_.study, coordinator.checkpoints);
    }
    if (!head_.study.trainer.command.empty())
      head_.source.emplace(code_folder(head_.study.trainer));
    const bool someone = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
    settle_program(
        head_.study, options_,
        {options_.program_changed, someone && !under_launcher(), stop_signal_waits}, *head_.store,
        coordinator.checkpoints,
        [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    if (head_.source) head_.source->record(*head_.store);
    head_.coordinator = std::make_unique<Coordinator>(
        head_.study, *head_.store, std::move(coordinator),
        [this](AgentId agent, protocol::ToAgent message) {
          transport_.send_to_agent(agent, std::move(message));
        },
        [this](AgentId lost) { transport_.lose(static_cast<int>(lost.value)); },
        [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    head_.public_side = std::make_unique<PublicSide>(
        options_.database, head_.study, *head_.coordinator,
        [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    head_.notices = std::make_unique<Notices>(
        head_.study, options_.database,
        [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    if (!options_.page.empty())
      head_.page = std::make_unique<LivePage>(
          options_.page, options_.database, head_.study,
          [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    if (options_.serve) transport_.open(head_.public_side->open_to_workers(*options_.serve));
  }

  // The folder of this database's trials in that of all checkpoints.
  fs::path own_root(const fs::path& checkpoints) {
    fs::path root = checkpoint_root(checkpoints, head_.store->database_id());
    if (const auto original = original_of(options_.database, root)) {
      head_.store->renew_database_id();
      const fs::path fresh = checkpoint_root(checkpoints, head_.store->database_id());
      console_.log("warning", options_.database.string() + " is a copy of " + original->string() +
                                  ", which trains in " + root.string() +
                                  "; its own trials train in " + fresh.string() +
                                  " from now on, where they find no checkpoints");
      root = fresh;
    }
    own_checkpoints(options_.database, root);
    return root;
  }

  double startup_seconds() const { return std::max(10.0, 2 * options_.lost_seconds); }

  // Collective over the ranks of a host: before anything that can fail on one of them.
  void share_devices() {
    devices_ = read_device_facts();
    cores_ = transport_.local_share(devices_.cores_key());
    gpus_ = transport_.local_share(devices_.gpus_key());
  }

  void prepare_agent() {
    AgentOptions agent{.host = storage::this_process().host,
                       .study_hash = transport_.rank() == 0 ? "" : seen_study_hash(options_),
                       .job = read_batch_job(),
                       .trainer = {trainer_program(options_.trainer)},
                       .welcome_seconds = startup_seconds()};
    try {
      // Who serves workers may train nothing itself.
      const bool none = options_.serve && options_.slots.slots == 0;
      if (!none)
        agent.slots = choose_slots(devices_, options_.slots, {cores_.index, cores_.count},
                                   {gpus_.index, gpus_.count});
      if (!devices_.warning.empty())
        console_.log("warning", storage::this_process().host + ": " + devices_.warning);
      const int cores = cores_of(devices_, {cores_.index, cores_.count});
      if (const auto remark = core_use(agent.slots, options_.slots, cores); !remark.empty())
        console_.log("info", storage::this_process().host + ": " + remark);
      if (agent.slots.empty() && !none)
        console_.log("warning", "rank " + std::to_string(transport_.rank()) + " on " +
                                    storage::this_process().host +
                                    " gets no slot: " + std::to_string(gpus_.count) +
                                    " ranks share its " + std::to_string(devices_.gpus.size()) +
                                    " GPUs; start no more ranks a host than it has GPUs");
      const int slots = static_cast<int>(agent.slots.size());
      if (const auto fault = open_files_fault(slots, open_files_.now)) throw DeviceError(*fault);
    } catch (const DeviceError& error) {
      if (transport_.size() == 1) throw;
      agent.faults.push_back(error.what());
    }
    agent_ = std::make_unique<Agent>(
        host_, std::move(agent), [this] { return clock_.now(); },
        [this](protocol::FromAgent message) { transport_.send_to_coordinator(std::move(message)); },
        [this](const std::string& level, const std::string& text) { console_.log(level, text); });
    agent_->say_hello();
  }

  void loop_until_over() {
    Backoff backoff;
    Progress progress(console_);
    RankLoop rank(transport_, *agent_, head_.coordinator.get(), [this] { return clock_.now(); });
    while (true) {
      const RankLoop::Pass pass = rank.pass();
      if (pass.ticked && head_.coordinator) {
        progress.tick(
            pass.now, [this] { return head_.coordinator->view(); },
            [this] { return head_.public_side->best(); });
        head_.public_side->tick(pass.now);
        head_.notices->tick(pass.now, head_.coordinator->failed_here(), [this] { return news(); });
        if (head_.source)
          head_.source->tick(*head_.store, head_.coordinator->take_program_changed());
      }
      if (rank.over()) break;
      auto wait = pass.wait;
      if (transport_.polls()) wait = std::min<std::chrono::nanoseconds>(wait, backoff.wait());
      const int events = loop_.run_once(wait);
      backoff.after(pass.delivered + events > 0);
    }
  }

  // This rank's slots stop at once: its trainers may have got the same signal, and rank 0 may be
  // far. It hears of the stop before what is queued here comes back.
  void on_stop_signal(int number, const char* name) {
    const bool again = std::exchange(stop_asked_, true) && number == SIGINT;
    std::optional<double> within;
    if (number == SIGTERM && options_.stop_within_seconds == 0) within = kTerminateSeconds;
    if (head_.coordinator)
      head_.coordinator->stop(again, name);
    else if (agent_)
      transport_.send_to_coordinator(protocol::StopRequested{name});
    if (agent_) agent_->stop(again, within);
  }

  void dismiss_others(const std::string& why) {
    if (transport_.rank() != 0) return;
    for (int rank = 1; rank < transport_.size(); ++rank)
      transport_.send_to_agent(AgentId{rank}, protocol::Leave{why});
  }

  // Of the exception that is being handled: the exit code, `otherwise` where it has none of its
  // own.
  int report_exception(int otherwise) {
    try {
      throw;
    } catch (const sweeps::StudyError& error) {
      std::cerr << error.what() << "\n";
      return kUsage;
    } catch (const storage::StorageError& error) {
      std::cerr << "windrow: " << error.what() << "\n";
      return kDatabase;
    } catch (const storage::Interrupted& error) {
      std::cerr << "windrow: " << error.what() << "\n";
      return kInterrupted;
    } catch (const std::exception& error) {
      std::cerr << "windrow: " << error.what() << "\n";
      return otherwise;
    }
  }

  [[noreturn]] void leave_without_mpi_end(int exit_code) {
    std::cout.flush();
    std::cerr.flush();
    _exit(exit_code);
  }

  int finish() {
    const bool is_head = head_.coordinator != nullptr;
    // What makes rank 0 send the others away is its to tell.
    const bool abandoned = !is_head && agent_->lost_coordinator();
    const int exit_code = is_head     ? options_.smoke ? tell_smoke() : summarize()
                              : abandoned ? kInterrupted
                                      : kAllDone;
    const std::optional<nlohmann::json> last_news = is_head ? std::optional(news()) : std::nullopt;
    if (abandoned) console_.log("error", storage::this_process().host + ": " + agent_->error());
    head_.public_side.reset();
    head_.source.reset();
    head_.store.reset();
    head_.page.reset();
    if (last_news) tell_the_end(*last_news);
    if (agent_->lost_coordinator()) transport_.lose(0);
    end_transport(exit_code);
    return exit_code;
  }

  // Between a rank's last message and the end of MPI it may still die.
  void end_transport(int exit_code) {
    constexpr double kEndSeconds = 20;
    const MpiLimit limit(kEndSeconds, exit_code, "");
    if (!transport_.finish()) leave_without_mpi_end(exit_code);
  }

  nlohmann::json news() const {
    nlohmann::json summary = summary_json(
        head_.coordinator->view(), std::chrono::duration<double>(Clock::now() - began_).count());
    summary["last_failure"] = head_.coordinator->last_failure();
    return summary;
  }

  // A run that comes back by itself, or that a person stopped, has no news.
  void tell_the_end(nlohmann::json summary) {
    const RunEnd end = head_.coordinator->end();
    const bool over = end == RunEnd::all_done || end == RunEnd::some_failed;
    summary["exit_code"] = exit_code(end);
    summary["reason"] =
        end == RunEnd::refused ? head_.coordinator->refusal() : head_.coordinator->stop_reason();
    if (over) head_.notices->end(summary);
    if (!over && !summary["reason"].get<std::string>().empty() && !head_.coordinator->out_of_time())
      head_.notices->failure(summary);
    head_.notices.reset();
  }

  int tell_smoke() {
    const RunEnd end = head_.coordinator->end();
    console_.redraw({});
    if (end == RunEnd::refused) console_.log("error", head_.coordinator->refusal());
    if (end == RunEnd::refused) return exit_code(end);
    head_.store->flush();
    storage::Reader reader(options_.database);
    const SmokeResult result = read_smoke(reader, read_whole_study(options_),
                                          static_cast<int>(head_.coordinator->view().slots.size()));
    if (options_.json)
      std::cout << smoke_json(result).dump(2) << std::endl;
    else
      std::cout << smoke_text(result) << std::flush;
    if (end == RunEnd::interrupted && !result.works()) return kInterrupted;
    return result.works() ? kAllDone : kSomeFailed;
  }

  int summarize() {
    const RunView view = head_.coordinator->view();
    const RunEnd end = head_.coordinator->end();
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    console_.redraw({});
    console_.log(end == RunEnd::some_failed ? "warning" : "info", summary_text(view, end, seconds));
    if (end == RunEnd::refused) console_.log("error", head_.coordinator->refusal());
    if (const std::string& why = head_.coordinator->stop_reason(); !why.empty())
      console_.log("error", why);
    if (options_.json) std::cout << summary_json(view, seconds) << std::endl;
    return exit_code(end);
  }

  RunOptions options_;
  std::optional<ScratchFolder> scratch_;  // of a smoke run
  Console console_;
  OpenFilesLimit open_files_;
  EventLoop loop_;
  LocalHost host_{loop_, open_files_.before};
  RunningClock clock_{Clock::now()};
  Transport transport_;
  DeviceFacts devices_;
  Link::LocalShare cores_, gpus_;  // this rank's part of the host's
  Head head_;
  std::unique_ptr<Agent> agent_;
  Clock::time_point began_ = Clock::now();
  bool stop_asked_ = false;
};

}  // namespace

int run_session(const RunOptions& options) {
  return Session(options).run();
}

}  // namespace windrow
