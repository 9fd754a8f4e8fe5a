// windrow-trainer: trains trial after trial for an agent, which it talks to by lines of JSON on
// stdin and stdout.
#include <ATen/Parallel.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "protocol/lines.h"
#include "worker/checkpoint/exported_weights.h"
#include "worker/device/device.h"
#include "worker/device/host_memory.h"
#include "worker/inbox.h"
#include "worker/outbox.h"
#include "worker/selftest/selftest.h"
#include "worker/tasks/task.h"
#include "worker/training_loop.h"

namespace {

using namespace windrow;

constexpr const char* kHelp =
    "windrow-trainer: trains the trials that an agent of `windrow run` hands it.\n"
    "\n"
    "It reads start, stop and abort messages from stdin and writes ready, started, epoch,\n"
    "finished and failed messages to stdout, one JSON object a line (docs/extending.md).\n"
    "You need not start it yourself. By hand, for example:\n"
    "\n"
    "  echo '{\"event\": \"start\", \"trial\": 1, \"attempt\": 1, \"task\": \"choice-sets\", "
    "\"seed\": 0,\n"
    "    \"parameters\": {\"depth\": 3, \"width\": 10, \"epochs\": 2, \"train_sets\": 20000}}' |\n"
    "    tr -d '\\n' | (cat; echo; sleep 60) | windrow-trainer\n"
    "\n"
    "Options: --help, --version, --selftest (every path of its devices against the CPU's answer,\n"
    "one JSON object a line; `windrow selftest` shows it), --export FOLDER FILE NAME=VALUE... "
    "(the\n"
    "weights of a folder of checkpoints as a safetensors file; `windrow export` calls it)\n";

protocol::Ready ready() {
  protocol::Ready message;
  message.versions = worker::library_versions();
  message.versions["windrow-trainer"] = WINDROW_VERSION;
  message.device = worker::describe_devices();
  for (const worker::Task& task : worker::tasks()) message.tasks.push_back(task.name);
  return message;
}

// stdout is for messages alone: libraries that print are sent to stderr.
int take_stdout() {
  const int fd = ::dup(STDOUT_FILENO);
  if (fd < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    std::perror("windrow-trainer: stdout");
    std::exit(1);
  }
  return fd;
}

int serve() {
  // Ctrl-C and a batch system's SIGTERM reach the whole process group; the agent decides what they
  // mean for the trainer.
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE})
    std::signal(signal, SIG_IGN);
  worker::Outbox outbox(take_stdout());
  const worker::Send send = [&outbox](const protocol::FromTrainer& m) { outbox.send(m); };
  worker::keep_freed_memory();
  at::set_num_interop_threads(1);
  send(ready());
  // The agent's end is the trainer's end, in the middle of a step as well; checkpoints bear it.
  worker::Inbox inbox(STDIN_FILENO, send, [] { _exit(0); });
  worker::DataCache data;
  while (const auto attempt = inbox.next()) worker::run_attempt(*attempt, send, data);
  return 0;
}

int self_test() {
  worker::keep_freed_memory();
  at::set_num_interop_threads(1);
  bool well = true;
  std::fputs(protocol::to_line(protocol::FromTrainer(ready())).c_str(), stdout);
  worker::SelfTest(worker::selftest_devices(), [&](const worker::Outcome& outcome) {
    using Verdict = worker::Outcome::Verdict;
    well = well && outcome.verdict != Verdict::differs && outcome.verdict != Verdict::failed;
    std::puts(worker::to_json(outcome).dump().c_str());
    std::fflush(stdout);
  }).run();
  return well ? 0 : 1;
}

// What is told beside the files stands in the file's header.
int export_model(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("windrow-trainer: --export wants a folder and a file\n", stderr);
    return 2;
  }
  std::map<std::string, std::string> metadata;
  for (int i = 2; i < argc; ++i) {
    const std::string pair = argv[i];
    const std::size_t middle = pair.find('=');
    if (middle != std::string::npos) metadata[pair.substr(0, middle)] = pair.substr(middle + 1);
  }
  try {
    worker::export_weights(argv[0], argv[1], metadata);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (argument == "--version") {
      std::puts("windrow-trainer " WINDROW_VERSION);
      return 0;
    }
    if (argument == "--selftest") return self_test();
    if (argument == "--export") return export_model(argc - i - 1, argv + i + 1);
    std::fprintf(stderr, "windrow-trainer: unknown argument '%s'; see windrow-trainer --help\n",
                 argv[i]);
    return 2;
  }
  return serve();
}
