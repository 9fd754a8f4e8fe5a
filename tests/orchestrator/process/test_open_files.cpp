#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/process/open_files.h"

namespace windrow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OpenFiles : public testing::Test {
 protected:
  OpenFiles() { getrlimit(RLIMIT_NOFILE, &before_); }
  ~OpenFiles() override { setrlimit(RLIMIT_NOFILE, &before_); }
  rlimit before_{};
};

TEST_F(OpenFiles, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit low = before_;
  low.rlim_cur = 200;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const OpenFilesLimit limit = raise_open_files_limit();
  EXPECT_EQ(limit.before, 200u);
  EXPECT_EQ(limit.now, before_.rlim_max);
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, before_.rlim_max);
}

TEST(OpenFilesFault, TooFewForTheSlotsIsToldWithBothNumbers) {
  EXPECT_FALSE(open_files_fault(8, 1024));
  EXPECT_FALSE(open_files_fault(1000, RLIM_INFINITY));
  const auto fault = open_files_fault(256, 1024);
  ASSERT_TRUE(fault);
  EXPECT_THAT(*fault, AllOf(HasSubstr("256 slots need 1128"), HasSubstr("may have 1024"),
                            HasSubstr("ulimit -Hn 1128"), HasSubstr("--slots")));
  EXPECT_TRUE(open_files_fault(4, 40));
}

}  // namespace
}  // namespace windrow
