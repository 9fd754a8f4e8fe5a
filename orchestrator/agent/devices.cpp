#include "orchestrator/agent/devices.h"

#include <sched.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

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
  std::ifstream cgroups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(cgroups, line);) {
    std::istringstream fields(line);
    std::string id, controllers, path;
    std::getline(fields, id, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const fs::path base = root + (v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu");
    for (fs::path folder = fs::path(path).relative_path();; folder = folder.parent_path()) {
      double quota = 0, period = 0;
      if (v2) {
        std::ifstream(base / folder / "cpu.max") >> quota >> period;  // "max 100000" leaves 0
      } else {
        std::ifstream(base / folder / "cpu.cfs_quota_us") >> quota;
        std::ifstream(base / folder / "cpu.cfs_period_us") >> period;
      }
      consider(quota, period);
      if (folder.empty()) break;
    }
  }
  return tightest;
}

std::vector<std::string> visible_gpus(const std::string& root) {
  std::vector<std::string> gpus;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream list(visible);
    for (std::string entry; std::getline(list, entry, ',');) {
      if (entry.empty() || entry == "-1" || entry == "NoDevFiles") break;
      gpus.push_back(entry);
    }
    return gpus;
  }
  std::error_code none;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(root + "/dev", none)) {
    const std::string name = entry.path().filename();
    const bool gpu =
        name.starts_with("nvidia") && name.size() > 6 &&
        std::all_of(name.begin() + 6, name.end(), [](unsigned char c) { return std::isdigit(c); });
    count += gpu ? 1 : 0;
  }
  for (int i = 0; i < count; ++i) gpus.push_back(std::to_string(i));
  return gpus;
}

}  // namespace

std::uint64_t DeviceFacts::cores_key() const {
  std::string text;
  for (const int core : cores) text += std::to_string(core) + ",";
  return key_of(text);
}

std::uint64_t DeviceFacts::gpus_key() const {
  std::string text;
  for (const std::string& gpu : gpus) text += gpu + ",";
  return key_of(text);
}

DeviceFacts read_device_facts(const std::string& root) {
  DeviceFacts facts;
  facts.cores = allowed_cores();
  facts.cpu_quota = read_cpu_quota(root);
  facts.gpus = visible_gpus(root);
  facts.gpus_are_own = std::getenv("SLURM_GPUS_PER_TASK") != nullptr;
  return facts;
}

std::vector<protocol::SlotInfo> choose_slots(const DeviceFacts& facts, const SlotWishes& wishes,
                                             Share cores, Share gpus) {
  double usable = static_cast<double>(facts.cores.size());
  if (facts.cpu_quota) usable = std::min(usable, std::ceil(*facts.cpu_quota - 1e-9));
  const int own_cores = std::max(1, static_cast<int>(usable) / cores.count +
                                        (cores.index < static_cast<int>(usable) % cores.count));
  if (wishes.slots && *wishes.slots < 1)
    throw DeviceError("--slots " + std::to_string(*wishes.slots) + ": at least 1 is needed");
  if (wishes.threads_per_slot && *wishes.threads_per_slot < 1)
    throw DeviceError("--threads-per-slot " + std::to_string(*wishes.threads_per_slot) +
                      ": at least 1 is needed");
  if (wishes.device == "cuda" && facts.gpus.empty())
    throw DeviceError(
        "--device cuda: this process sees no GPU (CUDA_VISIBLE_DEVICES, "
        "/dev/nvidia*); use --device cpu, or ask Slurm for --gpus-per-node");

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

}  // namespace windrow
