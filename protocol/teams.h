// Slots that are put together: a trial that needs several devices at once gets a team of them.
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::protocol {

// Teams of `members` slots each, in order; what is left over is left out. A team of GPUs is
// "cuda:0,1", one with a CPU slot in it is "cpu"; its threads are those of all.
inline std::vector<SlotInfo> teams_of(const std::vector<SlotInfo>& slots, int members) {
  if (members <= 1) return slots;
  constexpr std::string_view kGpu = "cuda:";
  const auto size = static_cast<std::size_t>(members);
  std::vector<SlotInfo> teams;
  for (std::size_t first = 0; first + size <= slots.size(); first += size) {
    SlotInfo team{std::string(kGpu), 0};
    bool gpus = true;
    for (std::size_t i = first; i < first + size; ++i) {
      gpus = gpus && slots[i].device.starts_with(kGpu);
      if (gpus) team.device += (i > first ? "," : "") + slots[i].device.substr(kGpu.size());
      team.threads += slots[i].threads;
    }
    if (!gpus) team.device = "cpu";
    teams.push_back(std::move(team));
  }
  return teams;
}

}  // namespace windrow::protocol
