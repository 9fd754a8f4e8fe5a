#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "orchestrator/transport/launcher.h"

namespace windrow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Environment with(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

// A port of this host that takes connections, as a launcher's server does.
class Server {
 public:
  Server() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(fd_, 1);
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Server() { close(fd_); }
  std::string uri() const { return "prterun-1;tcp4://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
};

TEST(Launcher, IsSeenByItsVariables) {
  EXPECT_FALSE(under_launcher(with({})));
  EXPECT_FALSE(under_launcher(with({{"SLURM_STEP_NUM_TASKS", "1"}})));
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"})
    EXPECT_TRUE(under_launcher(with({{name, "2"}}))) << name;
  EXPECT_TRUE(under_launcher(with({{"SLURM_STEP_NUM_TASKS", "4"}})));
}

TEST(Launcher, TheLibraryThatSuitsItComesFirst) {
  EXPECT_THAT(suitable_libraries(with({{"OMPI_COMM_WORLD_SIZE", "2"}})),
              ElementsAre("ompi", "mpich", "abi"));
  EXPECT_THAT(suitable_libraries(with({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}})),
              ElementsAre("mpich", "abi", "ompi"));
  // srun --mpi=pmix sets both.
  EXPECT_THAT(suitable_libraries(with({{"PMI_RANK", "0"}, {"PMIX_RANK", "0"}})),
              ElementsAre("ompi", "mpich", "abi"));
}

TEST(Launcher, OneRankWhereItStartedSeveralIsAFault) {
  EXPECT_THAT(lone_rank_fault("ompi", with({{"PMI_RANK", "1"}, {"PMI_SIZE", "3"}})),
              AllOf(HasSubstr("started 3 ranks, but ompi counts one"), HasSubstr("WINDROW_MPI")));
  EXPECT_THAT(lone_rank_fault("ompi", with({{"SLURM_STEP_NUM_TASKS", "2"}})),
              HasSubstr("srun --mpi=pmix"));
  const Server server;
  EXPECT_THAT(lone_rank_fault("mpich", with({{"OMPI_COMM_WORLD_SIZE", "4"},
                                             {"PMIX_SERVER_URI41", server.uri()}})),
              HasSubstr("started 4 ranks"));
}

TEST(Launcher, RanksThatCantFindEachOtherAreAFault) {
  EXPECT_THAT(missing_pmi_fault(with({{"SLURM_STEP_NUM_TASKS", "2"}})),
              AllOf(HasSubstr("2 ranks without PMI"), HasSubstr("srun --mpi=pmix")));
  EXPECT_EQ(missing_pmi_fault(with({{"SLURM_STEP_NUM_TASKS", "1"}})), "");
  EXPECT_EQ(missing_pmi_fault(with({{"SLURM_STEP_NUM_TASKS", "2"}, {"PMIX_RANK", "0"}})), "");
  EXPECT_EQ(missing_pmi_fault(with({{"SLURM_STEP_NUM_TASKS", "2"}, {"PMI_RANK", "0"}})), "");
}

// A terminal that was opened inside a job, for example.
TEST(Launcher, VariablesOfOneThatIsGoneDoNoHarm) {
  EXPECT_EQ(lone_rank_fault("ompi", with({{"OMPI_COMM_WORLD_SIZE", "4"}})), "");
  EXPECT_EQ(lone_rank_fault("ompi", with({{"OMPI_COMM_WORLD_SIZE", "4"},
                                          {"PMIX_SERVER_URI2", "gone;tcp4://127.0.0.1:1"}})),
            "");
  EXPECT_EQ(lone_rank_fault(
                "ompi", with({{"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_SERVER_URI2", "nonsense"}})),
            "");
  EXPECT_EQ(lone_rank_fault("ompi", with({{"PMIX_RANK", "1"}})), "");
}

TEST(Launcher, OneRankIsEnoughWhereOneWasStarted) {
  EXPECT_EQ(lone_rank_fault("mpich", with({{"PMI_RANK", "0"}, {"PMI_SIZE", "1"}})), "");
}

}  // namespace
}  // namespace windrow
