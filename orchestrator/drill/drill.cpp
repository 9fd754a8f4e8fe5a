#include "orchestrator/drill/drill.h"

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "orchestrator/control/whole_file.h"
#include "orchestrator/drill/launch.h"
#include "orchestrator/drill/small_study.h"
#include "orchestrator/exit_codes.h"
#include "storage/clock.h"
#include "storage/foreign_lock.h"
#include "storage/process.h"
#include "storage/reader.h"

namespace windrow::drill {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{20};
constexpr std::chrono::seconds kUntilAllIsGone{15};
constexpr int kMostLaunches = 6;

class Drill {
 public:
  Drill(const Fault& fault, const Settings& settings, fs::path folder)
      : fault_(fault),
        settings_(settings),
        folder_(std::move(folder)),
        end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(settings.deadline_seconds))) {}

  Record run() {
    prepare();
    record_.trials = settings_.trials;
    while (record_.launches < kMostLaunches && !launch_once())
      std::this_thread::sleep_for(std::chrono::seconds(1));
    if (record_.trouble.empty() && !all_is_over())
      record_.trouble = "after " + std::to_string(record_.launches) +
                        " starts the run still ends with exit code " + std::to_string(last_code_);
    if (!record_.done) record_.done = read_done(folder_);
    record_.begun = count_epochs_begun(folder_);
    wait_until_all_is_gone();
    try {
      read_database(database(), record_);
    } catch (const storage::StorageError& error) {
      record_.trouble = error.what();
    }
    return std::move(record_);
  }

 private:
  fs::path database() const { return folder_ / "windrow.db"; }
  bool is_the_drills() const { return fault_.where == Where::no_trainer; }
  double pause_seconds() const { return fault_.lost_times * settings_.lost_seconds; }

  void prepare() {
    for (const char* part : {"work", "beat"}) fs::create_directories(folder_ / part);
    const std::string fault =
        control::write_whole_file(folder_ / "study.yaml", study_text(folder_, settings_.trials));
    if (!fault.empty()) throw std::runtime_error(fault);
    if (!is_the_drills()) give_order(folder_, {fault_.deed, fault_.where, pause_seconds()});
  }

  // True: there is nothing to go on with.
  bool launch_once() {
    std::vector<std::string> arguments = {"run",          (folder_ / "study.yaml").string(),
                                          "--db",         database().string(),
                                          "--lost-after", std::to_string(settings_.lost_seconds)};
    arguments.insert(arguments.end(), settings_.run_options.begin(), settings_.run_options.end());
    Launch launch(settings_.launcher, arguments, folder_ / "run.log");
    ++record_.launches;
    std::optional<int> code;
    while (!(code = launch.poll())) {
      if (!goes_on()) {
        record_.trouble = settings_.interrupted() ? "the drill was interrupted"
                                                  : "the run was not over in good time";
        end(launch);
        return true;
      }
      if (is_the_drills() && !record_.done && record_.not_tried.empty() &&
          epochs_recorded() >= kDeedEpoch)
        do_deed(launch);
      std::this_thread::sleep_for(kPoll);
    }
    last_code_ = *code;
    if (record_.launches == 1) record_.first_end_ms = storage::now_ms();
    // What can't be started, or is refused, will be so again.
    const bool in_vain = last_code_ == kUsage || last_code_ == 126 || last_code_ == 127;
    if (in_vain && !fs::exists(database()))
      throw std::runtime_error("the drill's run can't be started (exit code " +
                               std::to_string(last_code_) + "): " + log());
    return all_is_over() || in_vain;
  }

  // Of a run that came to nothing, which is short.
  std::string log() const {
    std::string text = control::read_whole_file(folder_ / "run.log");
    return text.substr(0, text.find_last_not_of('\n') + 1);
  }

  bool goes_on() const { return !settings_.interrupted() && Clock::now() < end_; }

  static void end(Launch& launch) {
    launch.terminate();
    for (int i = 0; i < 1000 && !launch.poll(); ++i) std::this_thread::sleep_for(kPoll);
  }

  std::int64_t count(const std::string& sql) const {
    try {
      return std::get<std::int64_t>(storage::Reader(database()).query(sql).rows.at(0).at(0));
    } catch (const storage::StorageError&) {
      return 0;  // it is not there yet, or being made
    }
  }

  std::int64_t epochs_recorded() const { return count("SELECT count(*) FROM epochs"); }

  // By the database: launchers have exit codes of their own.
  bool all_is_over() const {
    return count("SELECT count(*) FROM trials WHERE state IN ('finished', 'failed')") ==
           settings_.trials;
  }

  void do_deed(Launch& launch) {
    const Done done{storage::now_ms(), 0, 0, storage::this_process().host};
    if (fault_.deed == Deed::stop_run) {
      launch.terminate();
      record_.done = done;
      return;
    }
    try {
      std::int64_t before = 0;
      {
        const storage::ForeignLock lock(database());
        before = epochs_recorded();
        record_.done = done;
        std::this_thread::sleep_for(std::chrono::duration<double>(pause_seconds()));
      }
      while (epochs_recorded() == before && !launch.poll() && goes_on())
        std::this_thread::sleep_for(kPoll);
      if (epochs_recorded() > before) record_.recovered_ms = storage::now_ms();
    } catch (const storage::StorageError&) {
      record_.not_tried = "the run has the database for itself on this file system";
    }
  }

  void wait_until_all_is_gone() {
    const auto end = Clock::now() + kUntilAllIsGone;
    do record_.left = still_beating(folder_);
    while (!record_.left.empty() && Clock::now() < end);
  }

  const Fault& fault_;
  const Settings& settings_;
  fs::path folder_;
  Clock::time_point end_;
  Record record_;
  int last_code_ = kInterrupted;
};

}  // namespace

Outcome try_fault(const Fault& fault, const Settings& settings, const fs::path& folder) {
  return judge(fault, Drill(fault, settings, folder).run());
}

}  // namespace windrow::drill
