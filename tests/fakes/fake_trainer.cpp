// A trainer that trains nothing, for testing the orchestrator without LibTorch. It speaks the line
// protocol; its parameters say how it behaves, its options how it misbehaves before that.
//
//   parameters: epochs, epoch_ms, x (makes the loss), crash_epoch with crash_attempts (dies by
//   SIGKILL there in the first so many attempts), hang_epoch, fail_epoch with fail_kind,
//   garbage_epoch (breaks the protocol), nan_epoch (a metric that is NaN), metrics (how many),
//   y (adds to the loss), failing_x (fail_epoch is for the x up to this one only), wait_file with
//   wait_x and wait_y (the cell with these begins its first epoch once the file is there),
//   classes (how many: makes a confusion matrix)
//   options: --never-ready, --crash-at-start, --chatty, --ignore-stop
#include <poll.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "protocol/lines.h"

namespace {

using namespace windrow;
using namespace windrow::protocol;
namespace fs = std::filesystem;

struct Options {
  bool chatty = false, ignore_stop = false;
};

void send(const FromTrainer& message) {
  const std::string line = to_line(message);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

std::string buffered;  // of stdin, not yet taken

bool stdin_has_line(int wait_ms) {
  if (buffered.find('\n') != std::string::npos) return true;
  pollfd in{0, POLLIN, 0};
  if (poll(&in, 1, wait_ms) <= 0) return false;
  char chunk[65536];
  const ssize_t n = read(0, chunk, sizeof chunk);
  if (n <= 0) std::_Exit(0);  // the agent is gone
  buffered.append(chunk, static_cast<std::size_t>(n));
  return buffered.find('\n') != std::string::npos;
}

ToTrainer take_message() {
  while (!stdin_has_line(-1)) {
  }
  const std::size_t end = buffered.find('\n');
  const std::string line = buffered.substr(0, end);
  buffered.erase(0, end + 1);
  return parse_to_trainer(line);
}

int integer(const Start& start, const char* name, int otherwise) {
  return start.parameters.value(name, otherwise);
}

double loss_of(const Start& start, int epoch) {
  const double x = start.parameters.value("x", 0.0);
  const double y = start.parameters.value("y", 0.0);
  return (1.0 + x) / epoch + y + 1e-3 * static_cast<double>(start.seed);
}

int read_checkpoint(const Start& start) {
  int epoch = 0;
  std::ifstream(start.checkpoint_dir + "/epoch") >> epoch;
  return epoch;
}

void write_checkpoint(const Start& start, int epoch) {
  fs::create_directories(start.checkpoint_dir);
  std::ofstream(start.checkpoint_dir + "/epoch.tmp") << epoch;
  fs::rename(start.checkpoint_dir + "/epoch.tmp", start.checkpoint_dir + "/epoch");
}

Metrics metrics_of(const Start& start, int epoch) {
  Metrics metrics = {{"loss", loss_of(start, epoch)}};
  for (int i = 1; i < integer(start, "metrics", 1); ++i)
    metrics["metric_" + std::to_string(i)] = loss_of(start, epoch) * i;
  if (epoch == integer(start, "nan_epoch", 0)) metrics["loss"] = std::nan("");
  return metrics;
}

// Ten images a class; each is right but for one, which is taken for the next class.
Json artefacts_of(const Start& start) {
  const int classes = integer(start, "classes", 0);
  if (classes == 0) return Json::object();
  Json names = Json::array(), counts = Json::array();
  for (int i = 0; i < classes; ++i) {
    names.push_back("class " + std::to_string(i));
    Json& row = counts.emplace_back(std::vector<int>(static_cast<std::size_t>(classes)));
    row[static_cast<std::size_t>(i)] = 9;
    row[static_cast<std::size_t>((i + 1) % classes)] = 1;
  }
  return {{"confusion", {{"classes", names}, {"counts", counts}}}};
}

// Waits out the epoch; true: a stop or abort for this attempt came meanwhile.
enum class Order { none, stop, abort };
Order wait_epoch(int milliseconds) {
  if (milliseconds > 0 ? !stdin_has_line(milliseconds) : !stdin_has_line(0)) return Order::none;
  const ToTrainer message = take_message();
  return std::holds_alternative<Abort>(message) ? Order::abort : Order::stop;
}

void misbehave(const Start& start, int epoch) {
  if (epoch == integer(start, "crash_epoch", 0) &&
      start.attempt <= integer(start, "crash_attempts", 1000)) {
    std::fputs("fake trainer: about to crash\n", stderr);
    std::raise(SIGKILL);
  }
  while (epoch == integer(start, "hang_epoch", 0))
    std::this_thread::sleep_for(std::chrono::hours(1));
  if (epoch == integer(start, "garbage_epoch", 0)) {
    std::puts("{\"event\": \"epoch\", \"trial\": \"?\"}");
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

bool fails(const Start& start, int epoch) {
  return epoch == integer(start, "fail_epoch", 0) &&
         start.parameters.value("x", 0.0) <= start.parameters.value("failing_x", 1e300);
}

void wait_for_file(const Start& start) {
  const std::string file = start.parameters.value("wait_file", std::string());
  const auto is = [&](const char* name, const char* value) {
    return start.parameters.value(name, 0.0) == start.parameters.value(value, 0.0);
  };
  if (file.empty() || !is("x", "wait_x") || !is("y", "wait_y")) return;
  while (!fs::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void train(const Start& start, const Options& options) {
  const bool checkpoints = start.parameters.value("checkpoints", false);
  const int begin = checkpoints ? read_checkpoint(start) : 0;
  const int epochs = integer(start, "epochs", 0);
  send(Started{start.trial, start.attempt, begin, {{"size", 7}}});
  wait_for_file(start);
  for (int epoch = start.committed_epochs + 1; epoch <= begin; ++epoch)
    send(Epoch{start.trial, start.attempt, epoch, metrics_of(start, epoch), 1e-3});
  for (int epoch = begin + 1; epoch <= epochs; ++epoch) {
    misbehave(start, epoch);
    if (fails(start, epoch)) {
      const auto kind = trainer_failure(start.parameters.value("fail_kind", std::string("crash")));
      send(Failed{start.trial, start.attempt, *kind, "as the parameters ask"});
      return;
    }
    const Order order = wait_epoch(integer(start, "epoch_ms", 0));
    if (order == Order::abort) return;
    if (options.chatty) std::puts("this line is no message");
    if (checkpoints) write_checkpoint(start, epoch);
    send(Epoch{start.trial, start.attempt, epoch, metrics_of(start, epoch), 1e-3, "hash",
               checkpoints ? "epoch" : ""});
    if (order == Order::stop && !options.ignore_stop) {
      send(Stopped{start.trial, start.attempt});
      return;
    }
  }
  send(Finished{.trial = start.trial,
                .attempt = start.attempt,
                .epochs = epochs,
                .artefacts = artefacts_of(start)});
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--crash-at-start") {
      std::fputs("fake trainer: can't import torch\n", stderr);
      return 5;
    }
    if (argument == "--never-ready") std::this_thread::sleep_for(std::chrono::hours(1));
    options.chatty |= argument == "--chatty";
    options.ignore_stop |= argument == "--ignore-stop";
  }
  send(Ready{{{"fake", "1"}}, "cpu", {}});
  while (true) {
    const ToTrainer message = take_message();
    if (const auto* start = std::get_if<Start>(&message)) train(*start, options);
  }
}
