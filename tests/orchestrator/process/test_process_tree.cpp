#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "orchestrator/guard/process_tree.h"

namespace windrow::guard {
namespace {

using testing::Contains;
using testing::Field;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(ProcessTree, DescendantsOfDescendantsCount) {
  const std::vector<ProcessParent> processes{{2, 1}, {9, 7}, {3, 2}, {7, 3},
                                             {4, 1}, {5, 4}, {8, 3}};
  EXPECT_THAT(descendants(processes, 2), UnorderedElementsAre(3, 7, 8, 9));
  EXPECT_THAT(descendants(processes, 5), IsEmpty());
}

TEST(ProcessTree, ThisHostsProcessesAreSeenWithTheirParents) {
  const ProcessParent self{getpid(), getppid()};
  EXPECT_THAT(running_processes(),
              Contains(testing::AllOf(Field(&ProcessParent::pid, self.pid),
                                      Field(&ProcessParent::parent, self.parent))));
}

}  // namespace
}  // namespace windrow::guard
