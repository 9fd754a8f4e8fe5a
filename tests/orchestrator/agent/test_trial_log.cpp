// What trainers write is kept, and no more of it than is bearable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "orchestrator/agent/trial_log.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;

class TrialLogTest : public testing::Test {
 protected:
  TrialLogTest() {
    std::string pattern = testing::TempDir() + "trial-log-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~TrialLogTest() override { fs::remove_all(folder_); }
  protocol::Start attempt(int trial, int number) {
    return {.trial = TrialId{trial},
            .attempt = number,
            .checkpoint_dir = folder_ / ("trial-" + std::to_string(trial))};
  }
  fs::path file(int trial = 1) { return trial_log_file(folder_, TrialId{trial}); }
  static std::string text(const fs::path& path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }

  fs::path folder_;
  TrialLog log_;
};

TEST_F(TrialLogTest, EachAttemptHasItsHeading) {
  log_.begin(attempt(1, 1), "n1 cpu");
  log_.add("one");
  log_.add("two");
  log_.begin(attempt(1, 2), "n2 cpu");
  log_.add("three");
  log_.flush();
  EXPECT_THAT(text(file()), MatchesRegex("== attempt 1 on n1 cpu, [^\n]*\none\ntwo\n"
                                         "== attempt 2 on n2 cpu, [^\n]*\nthree\n"));
}

TEST_F(TrialLogTest, ASilentTrialHasNone) {
  log_.begin(attempt(1, 1), "n1 cpu");
  log_.begin(attempt(2, 1), "n1 cpu");
  log_.flush();
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(TrialLogTest, WithoutAFolderNothingIsKept) {
  log_.begin({.trial = TrialId{1}}, "n1 cpu");
  log_.add("lost");
  log_.flush();
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(TrialLogTest, OnlyTheLastPartOfAFloodIsKept) {
  log_.begin(attempt(1, 1), "n1 cpu");
  const std::string line(1000, 'x');
  for (int i = 0; i < 20'000; ++i) log_.add(std::to_string(i) + line);
  log_.add("the end");
  log_.flush();
  const auto kept = fs::file_size(file()) + fs::file_size(file().string() + ".1");
  EXPECT_LT(kept, 2 * TrialLog::kMost + (1 << 20));
  EXPECT_GT(kept, static_cast<std::uintmax_t>(TrialLog::kMost));
  EXPECT_THAT(text(file()), HasSubstr("the end\n"));
}

}  // namespace
}  // namespace windrow
