#include "orchestrator/drill/small_study.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

namespace windrow::drill {

std::string study_text(const std::filesystem::path& folder, int trials) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  nlohmann::json grid = nlohmann::json::array();
  for (int x = 1; x <= trials; ++x) grid.push_back(x);
  const nlohmann::ordered_json study = {{"study", "drill"},
                                        {"trainer",
                                         {{"command", {program, "drill-trainer", folder.string()}},
                                          {"persistent", true},
                                          {"hang_seconds", kHangSeconds}}},
                                        {"parameters", {{"epochs", kEpochs}}},
                                        {"grid", {{"x", grid}}}};
  return study.dump(2) + "\n";  // JSON is YAML
}

// SplitMix64 (Steele, Lea and Flood 2014).
std::uint64_t next_state(std::uint64_t state, int epoch) {
  std::uint64_t z = state + 0x9e3779b97f4a7c15u * static_cast<std::uint64_t>(epoch);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint64_t state_after(std::uint64_t x, int epochs) {
  for (int epoch = 1; epoch <= epochs; ++epoch) x = next_state(x, epoch);
  return x;
}

std::string state_hash(std::uint64_t state) {
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << state;
  return text.str();
}

}  // namespace windrow::drill
