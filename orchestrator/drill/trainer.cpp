#include "orchestrator/drill/trainer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "orchestrator/drill/order.h"
#include "orchestrator/drill/rank_process.h"
#include "orchestrator/drill/small_study.h"
#include "protocol/lines.h"
#include "storage/clock.h"
#include "storage/process.h"

namespace windrow::drill {
namespace {

namespace fs = std::filesystem;
using namespace protocol;

void send(const FromTrainer& message) {
  std::cout << to_line(message) << std::flush;
}

// Says that this process runs, until it doesn't. Async-signal-safe: also for a forked child.
[[noreturn]] void beat(const char* file) {
  for (unsigned count = 0;; ++count) {
    const int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0) {
      [[maybe_unused]] const ssize_t n = write(fd, &count, sizeof count);
      close(fd);
    }
    usleep(kBeatMilliseconds * 1000);
  }
}

class Trainer {
 public:
  explicit Trainer(fs::path folder) : folder_(std::move(folder)), rank_(own_rank()) {
    std::thread([file = beat_file(folder_, "trainer").string()] { beat(file.c_str()); }).detach();
  }

  void run() {
    send(Ready{{{"windrow", WINDROW_VERSION}}, "cpu", {}});
    while (const auto message = take())
      if (const auto* start = std::get_if<Start>(&*message)) train(*start);
  }

 private:
  // nullopt: the agent is gone.
  std::optional<ToTrainer> take() {
    while (!line_comes(-1)) {
    }
    const auto end = read_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    const std::string line = read_.substr(0, end);
    read_.erase(0, end + 1);
    return parse_to_trainer(line);
  }

  // True also where stdin has ended.
  bool line_comes(int wait_ms) {
    if (read_.find('\n') != std::string::npos) return true;
    pollfd in{STDIN_FILENO, POLLIN, 0};
    if (poll(&in, 1, wait_ms) <= 0) return false;
    char chunk[4096];
    const ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
    if (n <= 0) return true;
    read_.append(chunk, static_cast<std::size_t>(n));
    return read_.find('\n') != std::string::npos;
  }

  void train(const Start& start) {
    const auto x = start.parameters.at("x").get<std::uint64_t>();
    int epoch = 0;
    std::uint64_t state = x;
    std::ifstream(checkpoint(start)) >> epoch >> state;
    send(Started{.trial = start.trial, .attempt = start.attempt, .resumed_from_epoch = epoch});
    for (int lost = start.committed_epochs + 1; lost <= epoch; ++lost)
      send(report(start, lost, state_after(x, lost)));
    while (epoch < kEpochs) {
      note_epoch_begun(folder_);
      if (++epoch >= kDeedEpoch) obey(start);
      const bool stop = line_comes(kEpochMilliseconds);
      state = next_state(state, epoch);
      save(start, epoch, state);
      send(report(start, epoch, state));
      if (!stop) continue;
      const auto message = take();
      if (message && std::holds_alternative<Stop>(*message))
        send(Stopped{start.trial, start.attempt});
      return;
    }
    send(Finished{.trial = start.trial, .attempt = start.attempt, .epochs = kEpochs});
  }

  static Epoch report(const Start& start, int epoch, std::uint64_t state) {
    Epoch message;
    message.trial = start.trial;
    message.attempt = start.attempt;
    message.epoch = epoch;
    message.metrics = {{"loss", static_cast<double>(state >> 32)}};
    message.wall_seconds = kEpochMilliseconds / 1000.0;
    message.state_hash = state_hash(state);
    message.checkpoint = "state";
    return message;
  }

  static fs::path checkpoint(const Start& start) {
    return fs::path(start.checkpoint_dir) / "state";
  }

  static void save(const Start& start, int epoch, std::uint64_t state) {
    fs::create_directories(start.checkpoint_dir);
    const fs::path written = checkpoint(start).string() + ".new";
    std::ofstream(written) << epoch << " " << state << std::flush;
    fs::rename(written, checkpoint(start));
  }

  bool may_do(const Order& order) const {
    if (!rank_) return order.where == Where::any_rank;
    return order.where == Where::any_rank || (order.where == Where::rank_0) == (rank_->rank == 0);
  }

  void obey(const Start& start) {
    const auto order = see_order(folder_);
    if (!order || !may_do(*order) || !take_order(folder_)) return;
    write_done(folder_,
               {storage::now_ms(), start.trial.value, start.attempt, storage::this_process().host});
    carry_out(*order, start);
  }

  void carry_out(const Order& order, const Start& start) {
    switch (order.deed) {
      case Deed::kill_trainer:
        die();
      case Deed::end_with_error:
        std::cerr << "drill: this trainer ends with an error\n" << std::flush;
        std::_Exit(1);
      case Deed::fall_silent:
        std::signal(SIGTERM, SIG_IGN);
        wait_for_the_end();
      case Deed::leave_child:
        leave_child();
        die();
      case Deed::lose_checkpoints:
        fs::remove_all(start.checkpoint_dir);
        die();
      case Deed::kill_guard:
        kill(getppid(), SIGKILL);
        wait_for_the_end();
      case Deed::kill_rank:
        kill(rank_.value().pid, SIGKILL);
        wait_for_the_end();
      case Deed::pause_rank:
        kill(rank_.value().pid, SIGSTOP);
        std::thread([pid = rank_->pid, seconds = order.seconds] {
          std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
          kill(pid, SIGCONT);
        }).detach();
        break;
      case Deed::lock_database:
      case Deed::stop_run:
        break;  // the drill's own
    }
  }

  [[noreturn]] static void die() {
    std::raise(SIGKILL);
    std::abort();
  }

  [[noreturn]] static void wait_for_the_end() {
    while (true) pause();
  }

  void leave_child() const {
    const std::string file = beat_file(folder_, "child").string();
    if (fork() != 0) return;
    setsid();
    std::signal(SIGTERM, SIG_IGN);
    beat(file.c_str());
  }

  fs::path folder_;
  std::optional<RankProcess> rank_;
  std::string read_;  // of stdin, not yet taken
};

}  // namespace

void run_trainer(const fs::path& folder) {
  Trainer(folder).run();
}

}  // namespace windrow::drill
