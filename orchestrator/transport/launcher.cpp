#include "orchestrator/transport/launcher.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace windrow {
namespace {

// Of Open MPI's servers; the last letters are their protocol's versions.
constexpr const char* kServers[] = {"PMIX_SERVER_URI2",  "PMIX_SERVER_URI21", "PMIX_SERVER_URI3",
                                    "PMIX_SERVER_URI4",  "PMIX_SERVER_URI41", "PMIX_SERVER_URI5",
                                    "PMIX_SERVER_URI51", "PMIX_SERVER_URI61"};

int number(const std::string& text) {
  return std::atoi(text.c_str());
}

// Of "NAMESPACE;tcp4://127.0.0.1:40001".
std::optional<sockaddr_in> address_of(const std::string& uri) {
  constexpr std::string_view kScheme = "tcp4://";
  const std::size_t at = uri.find(kScheme), colon = uri.rfind(':');
  if (at == std::string::npos || colon < at + kScheme.size()) return std::nullopt;
  const std::size_t begin = at + kScheme.size();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(number(uri.substr(colon + 1))));
  if (inet_pton(AF_INET, uri.substr(begin, colon - begin).c_str(), &address.sin_addr) != 1)
    return std::nullopt;
  return address;
}

bool answers(const sockaddr_in& address) {
  constexpr int kWaitMs = 1000;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  pollfd event{fd, POLLOUT, 0};
  int error = -1;
  socklen_t size = sizeof error;
  const bool connected = poll(&event, 1, kWaitMs) == 1 &&
                         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  close(fd);
  return connected;
}

bool has_pmi(const Environment& environment) {
  return !environment("PMI_RANK").empty() || !environment("PMI_SIZE").empty();
}

bool has_pmix(const Environment& environment) {
  return !environment("OMPI_COMM_WORLD_SIZE").empty() || !environment("PMIX_RANK").empty();
}

// Whether the launcher still is there. PMI's variables name no server that could be asked.
bool launcher_lives(const Environment& environment) {
  if (number(environment("PMI_SIZE")) > 1 || number(environment("SLURM_STEP_NUM_TASKS")) > 1)
    return true;
  return std::ranges::any_of(kServers, [&](const char* name) {
    const auto address = address_of(environment(name));
    return address && answers(*address);
  });
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool under_launcher(const Environment& environment) {
  return has_pmi(environment) || has_pmix(environment) ||
         number(environment("SLURM_STEP_NUM_TASKS")) > 1;
}

int launched_ranks(const Environment& environment) {
  int ranks = 0;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
    ranks = std::max(ranks, number(environment(name)));
  return ranks;
}

std::vector<std::string> suitable_libraries(const Environment& environment) {
  if (has_pmi(environment) && !has_pmix(environment)) return {"mpich", "abi", "ompi"};
  return {"ompi", "mpich", "abi"};
}

std::string missing_pmi_fault(const Environment& environment) {
  const int ranks = number(environment("SLURM_STEP_NUM_TASKS"));
  if (ranks < 2 || has_pmi(environment) || has_pmix(environment)) return "";
  return "srun started " + std::to_string(ranks) +
         " ranks without PMI, so that they can't find each other: start them with `srun "
         "--mpi=pmix` (see `srun --mpi=list`; pmi2 for MPICH and its relatives), or use mpirun";
}

std::string lone_rank_fault(const std::string& library, const Environment& environment) {
  const int ranks = launched_ranks(environment);
  if (ranks < 2 || !launcher_lives(environment)) return "";
  const std::string started =
      "the launcher started " + std::to_string(ranks) + " ranks, but " + library + " counts one";
  if (number(environment("SLURM_STEP_NUM_TASKS")) > 1)
    return started +
           ": start them with `srun --mpi=pmix` (see `srun --mpi=list`; pmi2 for MPICH and its "
           "relatives), or use mpirun";
  return started +
         ", so launcher and library are of different MPIs: use the mpirun that belongs to the "
         "library, or name the library of the launcher with WINDROW_MPI=ompi, mpich, abi or a "
         "path (`windrow doctor` lists them)";
}

}  // namespace windrow
