// What this process may use, and the slots that makes.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow {

struct DeviceFacts {
  std::vector<int> cores;           // CPUs that the affinity mask allows
  std::optional<double> cpu_quota;  // of the cgroup, in CPUs; nullopt = none
  std::vector<std::string> gpus;    // as CUDA_VISIBLE_DEVICES names them: indices or UUIDs
  std::vector<std::string> boards;  // of each, what tells it from the host's others: its UUID, its
                                    // device's number, or its name where neither is known
  bool gpus_are_own = false;        // Slurm gave this task its own GPUs
  std::string warning;              // what is odd; "" = nothing

  // Equal for ranks of a host that share the resource.
  std::uint64_t cores_key() const;
  std::uint64_t gpus_key() const;
};

// Reads the affinity mask, cgroup v2 and v1 quotas, CUDA_VISIBLE_DEVICES (believed only where the
// host has a GPU), /dev/nvidia*, the driver's list of GPUs and Slurm's environment. `root` stands
// for "/" in tests.
DeviceFacts read_device_facts(const std::string& root = "");

struct SlotWishes {
  std::string device = "auto";  // auto, cpu, cuda
  std::optional<int> slots;     // of this rank
  std::optional<int> threads_per_slot;
};

struct Share {  // this rank's place among the ranks of its host that share the resource
  int index = 0;
  int count = 1;
};

struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// How many cores this rank has to itself, by affinity and quota; at least 1.
int cores_of(const DeviceFacts& facts, Share share);

// The rank's slots: its share of the GPUs where there are some, else CPU slots of one thread over
// its share of the cores (at least one slot). Throws DeviceError on wishes that can't be met.
// None where more ranks of a host than GPUs share them.
std::vector<protocol::SlotInfo> choose_slots(const DeviceFacts& facts, const SlotWishes& wishes,
                                             Share cores, Share gpus);

// What a person who asked for these slots may not have meant, of a rank with so many cores: cores
// that stay idle, or that several threads share. "" = nothing.
std::string core_use(const std::vector<protocol::SlotInfo>& slots, const SlotWishes& wishes,
                     int cores);

}  // namespace windrow
