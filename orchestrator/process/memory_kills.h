// Notices when the kernel kills processes because memory ran out: a trainer's death by SIGKILL then
// has a reason, and the trial a name for what became of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace windrow {

// How many processes were killed so far: of this process's control group (v2 or v1: that of the
// batch job, or of its step), or else of the whole host. nullopt: the kernel does not say. `root`
// is put before every path that is read.
std::optional<std::int64_t> memory_kills(const std::string& root = "");

class MemoryKills {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit MemoryKills(std::string root = "") : root_(std::move(root)) {}

  // Looks once a second; to be called at least as often.
  void tick(Time now);
  // Within the last second or two, or since tick() was called last.
  bool lately() const;

 private:
  std::string root_;
  Time looked_{};
  std::optional<std::int64_t> last_, before_last_;
};

}  // namespace windrow
