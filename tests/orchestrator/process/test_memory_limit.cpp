// What a batch system, a container or the host leaves the processes of this one.
#include <gtest/gtest.h>

#include "orchestrator/process/memory_limit.h"
#include "tests/orchestrator/process/fake_root.h"

namespace windrow {
namespace {

class MemoryLimitTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { root_.write(path, text); }
  std::string root() { return root_.name(); }

  FakeRoot root_;
};

TEST_F(MemoryLimitTest, IsTheHostsMemoryWhereNoGroupHasLess) {
  EXPECT_EQ(memory_limit(root()), 0) << "nothing is known";
  write("/proc/meminfo", "MemTotal:       2048 kB\nMemFree:  512 kB\n");
  EXPECT_EQ(memory_limit(root()), 2 << 20);
  write("/proc/self/cgroup", "0::/system.slice/job_7\n");
  write("/sys/fs/cgroup/system.slice/job_7/memory.max", "max\n");
  EXPECT_EQ(memory_limit(root()), 2 << 20);
}

TEST_F(MemoryLimitTest, IsTheLeastOfTheGroupsAbove) {
  write("/proc/meminfo", "MemTotal: 2048 kB\n");
  write("/proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  write("/sys/fs/cgroup/slurm/job_7/memory.max", "1000000\n");
  write("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  EXPECT_EQ(memory_limit(root()), 1000000);
  write("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "900000\n");
  EXPECT_EQ(memory_limit(root()), 900000);
}

TEST_F(MemoryLimitTest, OfTheFirstVersionOfControlGroupsToo) {
  write("/proc/meminfo", "MemTotal: 2048 kB\n");
  write("/proc/self/cgroup", "5:cpu,memory:/slurm/job_8\n1:cpuset:/\n0::/\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("/sys/fs/cgroup/memory/slurm/job_8/memory.limit_in_bytes", "800000\n");
  EXPECT_EQ(memory_limit(root()), 800000);
}

TEST(MemoryLimit, IsToldByThisKernel) {
  EXPECT_GT(memory_limit(), 1 << 20);
}

}  // namespace
}  // namespace windrow
