// Counts of the kernel's OOM killer, in each form in which Linux tells them.
#include <gtest/gtest.h>

#include "orchestrator/process/memory_kills.h"
#include "tests/orchestrator/process/fake_root.h"

namespace windrow {
namespace {

using namespace std::chrono_literals;

class MemoryKillsTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) { root_.write(path, text); }
  std::string root() { return root_.name(); }

  FakeRoot root_;
};

TEST_F(MemoryKillsTest, AreThoseOfTheControlGroup) {
  write("/proc/vmstat", "nr_free_pages 4\noom_kill 90\n");
  EXPECT_EQ(memory_kills(root()), 90) << "no control groups at all";
  write("/proc/self/cgroup", "0::/system.slice/job_7/step_0\n");
  EXPECT_EQ(memory_kills(root()), 90) << "a container sees none of the paths";
  write("/sys/fs/cgroup/system.slice/job_7/step_0/memory.events",
        "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
  EXPECT_EQ(memory_kills(root()), 2);
  write("/proc/self/cgroup", "5:cpu,memory:/slurm/job_8\n1:cpuset:/\n0::/\n");
  write("/sys/fs/cgroup/memory/slurm/job_8/memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
  EXPECT_EQ(memory_kills(root()), 5);
}

TEST_F(MemoryKillsTest, CountForASecondOrTwo) {
  const auto killed = [&](int times) {
    write("/proc/vmstat", "oom_kill " + std::to_string(times) + "\n");
  };
  MemoryKills kills(root());
  const MemoryKills::Time begin{};
  EXPECT_FALSE(kills.lately()) << "nothing is known";
  killed(3);
  EXPECT_FALSE(kills.lately()) << "when, nobody knows";
  kills.tick(begin);
  EXPECT_FALSE(kills.lately());
  killed(4);
  EXPECT_TRUE(kills.lately());
  kills.tick(begin + 1s);
  EXPECT_TRUE(kills.lately()) << "it may have been a moment ago";
  kills.tick(begin + 1900ms);
  EXPECT_TRUE(kills.lately());
  kills.tick(begin + 2s);
  EXPECT_FALSE(kills.lately());
}

TEST(MemoryKills, AreToldByThisKernel) {
  EXPECT_GE(memory_kills().value_or(-1), 0);
}

}  // namespace
}  // namespace windrow
