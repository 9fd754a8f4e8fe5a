// One coordinator and one store under as many ranks as one likes, without the ranks: what an event
// costs, what a trial takes of memory, how large the database becomes. Prints a JSON object.
//
//   windrow-bench-scale FOLDER RANKS SLOTS CELLS SEEDS EPOCHS
//
// The database is FOLDER/scale.db, beside its study. All is as in a run (coordinator, transport,
// wire, store with its thread) but for the ranks, whose messages come as fast as they are taken and
// stored; epochs are said to have taken a minute.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/transport/transport.h"
#include "storage/store.h"
#include "sweeps/study.h"
#include "tests/benchmarks/orchestrator/crowd_link.h"

namespace {

using namespace windrow;
using benchmarks::thread_cpu_seconds;

constexpr std::int64_t kMostUnwritten = 50'000;  // records that wait for the database

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double process_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Bytes; "VmRSS" now, "VmHWM" at most.
double memory(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what + ":")) return std::atof(line.c_str() + what.size() + 1) * 1024;
  return 0;
}

std::string study_text(int cells, int seeds) {
  const int columns = 1000;
  std::string text = "study: scale\ntrainer: {command: [/bin/true], persistent: true}\nseeds: " +
                     std::to_string(seeds) + "\ngrid:\n";
  const auto axis = [&](const char* name, int values) {
    text += std::string("  ") + name + ": [";
    for (int i = 0; i < values; ++i) text += (i == 0 ? "" : ", ") + std::to_string(i);
    text += "]\n";
  };
  axis("a", std::max(cells / columns, 1));
  axis("b", std::min(cells, columns));
  return text;
}

void print(const char* name, double value, const char* end = ",") {
  std::printf("\"%s\": %.6g%s\n", name, value, end);
}

// True: all trials are done.
bool run_all(const std::filesystem::path& file, int ranks, int slots, int cells, int seeds,
             int epochs) {
  const std::string text = study_text(cells, seeds);
  std::ofstream(std::filesystem::path(file).replace_extension(".yaml")) << text << std::flush;

  const double memory_before = memory("VmRSS");
  const auto begin = Clock::now();
  const sweeps::Study study = sweeps::parse_study(text, "scale.yaml");
  storage::Store store(file);
  auto owned = std::make_unique<benchmarks::CrowdLink>(ranks, slots, epochs, study.hash);
  benchmarks::CrowdLink& crowd = *owned;
  Transport transport(std::move(owned));
  CoordinatorOptions options;
  options.agents = ranks + 1;
  options.lost_seconds = 1e6;
  Coordinator coordinator(
      study, store, options,
      [&](AgentId agent, protocol::ToAgent message) {
        if (agent.value == 0 && std::holds_alternative<protocol::Leave>(message))
          transport.send_to_coordinator(protocol::Goodbye{});
        if (agent.value != 0) transport.send_to_agent(agent, std::move(message));
      },
      [&](AgentId agent) { transport.lose(static_cast<int>(agent.value)); },
      [](const std::string& level, const std::string& line) {
        if (level == "error") std::fprintf(stderr, "%s\n", line.c_str());
      });
  transport.send_to_coordinator(protocol::Hello{.version = WINDROW_VERSION,
                                                .study_hash = study.hash,
                                                .host = "node0",
                                                .pid = 1,
                                                .slots = {},
                                                .faults = {},
                                                .job = {}});

  // Until the first assignment, then until the end.
  const std::uint64_t trials =
      static_cast<std::uint64_t>(cells) * static_cast<std::uint64_t>(seeds);
  double known_seconds = 0, known_memory = 0, cpu_begin = 0, crowd_begin = 0, process_begin = 0;
  double tick_cpu = 0;
  std::int64_t messages_begin = 0;
  auto run_begin = begin;
  auto next_tick = Clock::now();
  while (!coordinator.over()) {
    const auto [delivered, mail_read] =
        transport.deliver([](protocol::ToAgent) {},
                          [&](AgentId from, protocol::FromAgent message) {
                            coordinator.on_message(from, std::move(message));
                          });
    if (const auto now = Clock::now(); now >= next_tick) {
      next_tick = now + std::chrono::milliseconds(10);
      const double before = thread_cpu_seconds(), crowd_before = crowd.own_cpu_seconds;
      coordinator.tick(now, mail_read);
      tick_cpu += thread_cpu_seconds() - before - (crowd.own_cpu_seconds - crowd_before);
    }
    if (known_seconds == 0 && crowd.assigned > 0) {
      known_seconds = seconds_since(begin);
      known_memory = memory("VmRSS");
      run_begin = Clock::now();
      cpu_begin = thread_cpu_seconds();
      process_begin = process_cpu_seconds();
      crowd_begin = crowd.own_cpu_seconds;
      messages_begin = crowd.said + crowd.heard;
      tick_cpu = 0;
    }
    const auto unwritten = crowd.said - static_cast<std::int64_t>(store.committed());
    crowd.held_back = known_seconds > 0 && unwritten > kMostUnwritten;
    if (delivered == 0) std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  store.flush();
  const double wall = seconds_since(run_begin);
  const double main_cpu = thread_cpu_seconds() - cpu_begin;
  const double own_cpu = main_cpu - (crowd.own_cpu_seconds - crowd_begin);
  const double writer_cpu = process_cpu_seconds() - process_begin - main_cpu;
  const double messages = static_cast<double>(crowd.said + crowd.heard - messages_begin);
  const double rows = static_cast<double>(trials) * epochs;
  print("ranks", ranks);
  print("slots", ranks * slots);
  print("trials", static_cast<double>(trials));
  print("epoch_rows", rows);
  print("seconds_to_first_assignment", known_seconds);
  print("bytes_a_trial", (known_memory - memory_before) / static_cast<double>(trials));
  print("peak_memory_bytes", memory("VmHWM"));
  print("messages", messages);
  print("coordinator_cpu_us_a_message", own_cpu / messages * 1e6);
  print("messages_a_second_of_one_core", messages / own_cpu);
  print("ticks_share_of_it", tick_cpu / own_cpu);
  print("writer_cpu_us_a_row", writer_cpu / (rows + 2.0 * static_cast<double>(trials)) * 1e6);
  print("run_seconds", wall);
  print("epoch_rows_a_second", rows / wall);
  return coordinator.end() == RunEnd::all_done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7)
    return std::fprintf(stderr, "windrow-bench-scale FOLDER RANKS SLOTS CELLS SEEDS EPOCHS\n"), 2;
  const std::filesystem::path file = std::filesystem::path(argv[1]) / "scale.db";
  std::printf("{\n");
  const bool done = run_all(file, std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]),
                            std::atoi(argv[5]), std::atoi(argv[6]));
  print("database_bytes", static_cast<double>(std::filesystem::file_size(file)), "");
  std::printf("}\n");
  return done ? 0 : 1;
}
