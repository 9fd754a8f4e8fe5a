// When work must be over, and whose end that is.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "orchestrator/session/time_limit.h"

namespace windrow {
namespace {

using namespace std::chrono_literals;

// Slurm's variables, as newer versions set them.
class TimeLimitTest : public testing::Test {
 protected:
  ~TimeLimitTest() override {
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_JOB_END_TIME");
  }
  void in_job(const char* end) {
    setenv("SLURM_JOB_ID", "4711", 1);
    setenv("SLURM_JOB_END_TIME", end, 1);
  }
};

TEST_F(TimeLimitTest, OutsideOfAJobThereIsNone) {
  unsetenv("SLURM_JOB_ID");
  const TimeLimit limit = time_limit("");
  EXPECT_EQ(limit.until, std::nullopt);
  EXPECT_EQ(limit.job, protocol::BatchJob{});
  EXPECT_EQ(unix_ms(limit.until), 0);
}

TEST_F(TimeLimitTest, InAJobItIsTheJobs) {
  in_job("4000000000");
  const TimeLimit limit = time_limit("");
  EXPECT_EQ(unix_ms(limit.until), 4'000'000'000'000);
  EXPECT_EQ(limit.job.id, "4711");
  EXPECT_EQ(limit.job.ends_at_ms, 4'000'000'000'000);
}

// The job's own end stays on record.
TEST_F(TimeLimitTest, TheUsersComesFirst) {
  in_job("4000000000");
  const TimeLimit limit = time_limit("+1h");
  EXPECT_NEAR(static_cast<double>(unix_ms(limit.until)),
              static_cast<double>(unix_ms(std::chrono::system_clock::now() + 1h)), 60'000);
  EXPECT_EQ(limit.job.ends_at_ms, 4'000'000'000'000);
}

TEST_F(TimeLimitTest, TheFormsOfTheOption) {
  const auto now = parse_until("2030-05-01T12:00", WallTime{});
  EXPECT_EQ(parse_until("+1h30m5s", now), now + 1h + 30min + 5s);
  EXPECT_EQ(parse_until("18:30", now), now + 6h + 30min);
  EXPECT_EQ(parse_until("11:00:30", now), now + 23h + 30s);  // tomorrow
  EXPECT_EQ(parse_until("2030-05-01T12:00:01", now), now + 1s);
  for (const char* odd : {"", "+", "+5", "+5x", "25:00", "soon", "2030-05-01T11:00"})
    EXPECT_THROW(parse_until(odd, now), std::runtime_error) << odd;
}

}  // namespace
}  // namespace windrow
