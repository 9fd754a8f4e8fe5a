#include "orchestrator/agent/devices.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "orchestrator/process/control_groups.h"
#include "orchestrator/process/host_facts.h"
#include "protocol/hash.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

std::uint64_t key_of(const std::string& text) {
  return std::stoull(protocol::content_hash(text).substr(0, 16), nullptr, 16);
}

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  // The mask must be at least as large as the kernel's.
  for (int size = 1024; size <= 1 << 16; size *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(size));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    const bool fits = sched_getaffinity(0, bytes, set) == 0;
    for (int cpu = 0; fits && cpu < size; ++cpu)
      if (CPU_ISSET_S(cpu, bytes, set)) cores.push_back(cpu);
    CPU_FREE(set);
    if (fits) break;
  }
  return cores;
}

// The tightest quota of this process's cgroup and those above it.
std::optional<double> read_cpu_quota(const std::string& root) {
  std::optional<double> tightest;
  const auto consider = [&](double quota, double period) {
    if (quota > 0 && period > 0 && (!tightest || quota / period < *tightest))
      tightest = quota / period;
  };
  for (const ControlGroup& group : control_groups("cpu", root)) {
    for (fs::path folder = group.path;; folder = folder.parent_path()) {
      const fs::path files = group.base / folder;
      double quota = 0, period = 0;
      if (group.unified) {
        std::ifstream(files / "cpu.max") >> quota >> period;  // "max 100000" leaves 0
      } else {
        std::ifstream(files / "cpu.cfs_quota_us") >> quota;
        std::ifstream(files / "cpu.cfs_period_us") >> period;
      }
      consider(quota, period);
      if (folder.empty()) break;
    }
  }
  return tightest;
}

// The numbers of the GPUs' device files that this process may open: a container or a job's cgroup
// may keep it from some.
std::vector<int> device_numbers(const std::string& root) {
  std::vector<int> numbers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root + "/dev", none)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("nvidia") || name.size() == 6 || name.size() > 12 ||
        !std::all_of(name.begin() + 6, name.end(), [](unsigned char c) { return std::isdigit(c); }))
      continue;
    if (access(entry.path().c_str(), R_OK | W_OK) != 0) continue;
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == EPERM || errno == EACCES)) continue;
    if (fd >= 0) close(fd);
    numbers.push_back(std::stoi(name.substr(6)));
  }
  std::ranges::sort(numbers);
  return numbers;
}

// By the driver's list: the UUID of each device file's number.
std::map<int, std::string> uuids(const std::string& root) {
  std::map<int, std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root + "/proc/driver/nvidia/gpus", none)) {
    std::ifstream information(entry.path() / "information");
    std::string uuid;
    int number = -1;
    for (std::string line; std::getline(information, line);) {
      const std::string value = trimmed(line.substr(std::min(line.find(':'), line.size() - 1) + 1));
      if (line.starts_with("GPU UUID")) uuid = value;
      if (line.starts_with("Device Minor")) number = std::atoi(value.c_str());
    }
    if (number >= 0 && !uuid.empty()) found[number] = uuid;
  }
  return found;
}

// The entries that CUDA would take: it stops at the first that names no GPU.
std::vector<std::string> entries_of(const std::string& visible, std::size_t gpus) {
  std::vector<std::string> entries;
  std::istringstream list(visible);
  for (std::string entry; std::getline(list, entry, ',');) {
    entry = trimmed(entry);
    const bool is_index = !entry.empty() && entry.find_first_not_of("0123456789") == entry.npos;
    const bool is_uuid = entry.starts_with("GPU-") || entry.starts_with("MIG-");
    if (!is_index && !is_uuid) break;
    if (is_index && (entry.size() > 6 || std::stoul(entry) >= gpus)) break;
    if (std::ranges::find(entries, entry) == entries.end()) entries.push_back(entry);
  }
  return entries;
}

void find_gpus(const std::string& root, DeviceFacts& facts) {
  const std::vector<int> numbers = device_numbers(root);
  const auto known = uuids(root);
  const auto board = [&](std::size_t index) {
    const auto uuid = known.find(numbers[index]);
    return uuid != known.end() ? uuid->second : "nvidia" + std::to_string(numbers[index]);
  };
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) {
    for (std::size_t i = 0; i < numbers.size(); ++i) facts.gpus.push_back(std::to_string(i));
  } else if (!numbers.empty()) {
    facts.gpus = entries_of(visible, numbers.size());
    if (facts.gpus.empty() && !entries_of(visible, 1'000'000).empty())
      facts.warning = std::string("CUDA_VISIBLE_DEVICES=") + visible + " names none of the " +
                      std::to_string(numbers.size()) +
                      " GPUs of this host; its slots are those of the CPU";
  } else if (!entries_of(visible, 1'000'000).empty()) {
    facts.warning = std::string("CUDA_VISIBLE_DEVICES=") + visible +
                    " is set, but this host shows no GPU (/dev/nvidia*); its slots are those of "
                    "the CPU";
  }
  for (const std::string& gpu : facts.gpus) {
    const bool is_index = std::isdigit(static_cast<unsigned char>(gpu[0]));
    facts.boards.push_back(is_index ? board(std::stoul(gpu)) : gpu);
  }
}

}  // namespace

std::uint64_t DeviceFacts::cores_key() const {
  std::string text;
  for (const int core : cores) text += std::to_string(core) + ",";
  return key_of(text);
}

std::uint64_t DeviceFacts::gpus_key() const {
  std::string text;
  for (const std::string& board : boards) text += board + ",";
  return key_of(text);
}

DeviceFacts read_device_facts(const std::string& root) {
  DeviceFacts facts;
  facts.cores = allowed_cores();
  facts.cpu_quota = read_cpu_quota(root);
  find_gpus(root, facts);
  facts.gpus_are_own = std::getenv("SLURM_GPUS_PER_TASK") != nullptr;
  return facts;
}

int cores_of(const DeviceFacts& facts, Share share) {
  double usable = static_cast<double>(facts.cores.size());
  if (facts.cpu_quota) usable = std::min(usable, std::ceil(*facts.cpu_quota - 1e-9));
  return std::max(1, static_cast<int>(usable) / share.count +
                         (share.index < static_cast<int>(usable) % share.count));
}

std::vector<protocol::SlotInfo> choose_slots(const DeviceFacts& facts, const SlotWishes& wishes,
                                             Share cores, Share gpus) {
  const int own_cores = cores_of(facts, cores);
  if (wishes.slots && *wishes.slots < 1)
    throw DeviceError("--slots " + std::to_string(*wishes.slots) + ": at least 1 is needed");
  if (wishes.threads_per_slot && *wishes.threads_per_slot < 1)
    throw DeviceError("--threads-per-slot " + std::to_string(*wishes.threads_per_slot) +
                      ": at least 1 is needed");
  if (wishes.device == "cuda" && facts.gpus.empty())
    throw DeviceError(
        "--device cuda: this process sees no GPU (CUDA_VISIBLE_DEVICES, "
        "/dev/nvidia*); use --device cpu, or ask Slurm for --gpus-per-node" +
        (facts.warning.empty() ? "" : "; " + facts.warning));

  std::vector<protocol::SlotInfo> slots;
  if (wishes.device != "cpu" && !facts.gpus.empty()) {
    std::vector<std::string> own;
    for (std::size_t i = 0; i < facts.gpus.size(); ++i)
      if (facts.gpus_are_own || static_cast<int>(i) % gpus.count == gpus.index)
        own.push_back(facts.gpus[i]);
    const int count = wishes.slots.value_or(static_cast<int>(own.size()));
    if (own.empty()) return slots;  // more ranks than GPUs on this host
    const int threads =
        wishes.threads_per_slot.value_or(std::max(1, own_cores / std::max(1, count)));
    for (int i = 0; i < count; ++i)  // more slots than GPUs share them
      slots.push_back({"cuda:" + own[static_cast<std::size_t>(i) % own.size()], threads});
    return slots;
  }
  // Not derived from --slots: a trial's last bits depend on its threads.
  const int threads = wishes.threads_per_slot.value_or(1);
  const int count = wishes.slots.value_or(std::max(1, own_cores / threads));
  slots.assign(static_cast<std::size_t>(count), {"cpu", threads});
  return slots;
}

std::string core_use(const std::vector<protocol::SlotInfo>& slots, const SlotWishes& wishes,
                     int cores) {
  if (slots.empty() || (!wishes.slots && !wishes.threads_per_slot)) return "";
  int threads = 0;
  for (const protocol::SlotInfo& slot : slots) threads += slot.threads;
  const auto counted = [](int number, const std::string& thing) {
    return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
  };
  const int count = static_cast<int>(slots.size());
  const std::string asked = counted(count, "slot") + " of " +
                            counted(slots.front().threads, "thread") + " on " +
                            counted(cores, "core") + ": ";
  if (threads > cores) return asked + "they take the cores from each other";
  const int possible = cores / count;
  if (wishes.threads_per_slot || possible <= slots.front().threads) return "";
  return asked + "the others stay idle; --threads-per-slot " + std::to_string(possible) +
         " gives each trial as many";
}

}  // namespace windrow
