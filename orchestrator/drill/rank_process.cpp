#include "orchestrator/drill/rank_process.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace windrow::drill {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The fourth field of its stat; its name, the second, may have anything in it but ends in the last
// parenthesis.
pid_t parent_of(pid_t pid) {
  const std::string stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(") ");
  return end == std::string::npos ? 0 : std::atoi(stat.c_str() + end + 4);
}

int rank_of(pid_t pid) {
  const std::string environment = content_of("/proc/" + std::to_string(pid) + "/environ");
  for (const std::string_view name :
       {"OMPI_COMM_WORLD_RANK=", "PMIX_RANK=", "PMI_RANK=", "SLURM_PROCID="})
    for (std::size_t at = 0; at < environment.size(); at = environment.find('\0', at) + 1) {
      if (environment.compare(at, name.size(), name) == 0)
        return std::atoi(environment.c_str() + at + name.size());
      if (environment.find('\0', at) == std::string::npos) break;
    }
  return 0;
}

}  // namespace

std::optional<RankProcess> own_rank() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (pid_t pid = getppid(); pid > 1; pid = parent_of(pid))
    if (fs::read_symlink("/proc/" + std::to_string(pid) + "/exe", error) == self && !error)
      return RankProcess{pid, rank_of(pid)};
  return std::nullopt;
}

}  // namespace windrow::drill
