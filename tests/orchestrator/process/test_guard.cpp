#include <sys/wait.h>

#include "tests/orchestrator/process/guarded_test.h"

namespace windrow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using GuardTest = GuardedTest;

// One helper in the trainer's group, one in a session of its own, and one whose parent is gone.
constexpr const char* kHelpers =
    "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; (setsid sh -c 'sleep 1000 & echo $!'); ";

TEST_F(GuardTest, WhatATrainerLeavesRunningIsGoneWhenItsExitIsTold) {
  const auto child = start(shell(std::string(kHelpers) + "exit 3"));  // they hold its pipes open
  EXPECT_EQ(wait(*child).code, 3);
  ASSERT_EQ(out_.size(), 3u);
  for (const pid_t pid : pids(3)) EXPECT_TRUE(has_ended(pid)) << pid;
}

TEST_F(GuardTest, DestructionKillsAllWithoutWaiting) {
  auto child = start(shell(std::string(kHelpers) + "trap '' TERM; wait"));
  const std::vector<pid_t> helpers = pids(3);
  for (const pid_t pid : helpers) EXPECT_FALSE(has_ended(pid));
  child.reset();
  expect_all_end(helpers);
}

TEST_F(GuardTest, SigkillReachesOwnSessionsTooAndSigtermTheGroup) {
  const std::string helpers = kHelpers;
  auto child = start(shell("trap 'exit 7' TERM; " + helpers + "while :; do wait; done"));
  pids(3);
  child->signal(SIGTERM);
  EXPECT_EQ(wait(*child).code, 7);
  out_.clear();
  child = start(shell("trap '' TERM; " + helpers + "wait"));
  const std::vector<pid_t> processes = pids(3);
  child->signal(SIGTERM);
  child->signal(SIGKILL);
  EXPECT_EQ(wait(*child).signal, SIGKILL);
  for (const pid_t pid : processes) EXPECT_TRUE(has_ended(pid));
}

// The agent is a process of its own here, killed as the kernel or a batch system would.
TEST_F(GuardTest, AKilledAgentTakesTheWholeTreeOfItsTrainerAlong) {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t agent = fork();
  if (agent == 0) {
    EventLoop loop;
    GuardPool guards(loop);
    ChildEvents events{.on_stdout = [&](std::string_view line) {
      const std::string text = std::string(line) + "\n";
      [[maybe_unused]] const ssize_t n = write(ends[1], text.data(), text.size());
    }};
    ChildProcess child(guards, shell(std::string(kHelpers) + "echo $$; wait"), events);
    while (true) loop.run_once(std::chrono::seconds(1));
  }
  close(ends[1]);
  std::vector<pid_t> processes(4);
  FILE* lines = fdopen(ends[0], "r");
  for (pid_t& pid : processes) ASSERT_EQ(fscanf(lines, "%d", &pid), 1);
  const pid_t guard = parent_of(processes[3]);
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);
  fclose(lines);
  expect_all_end(processes);
  expect_all_end({guard});
}

TEST_F(GuardTest, OneGuardServesTrainerAfterTrainer) {
  std::vector<pid_t> guards;
  for (int i = 0; i < 3; ++i) {
    out_.clear();
    const auto child = start(shell("echo $PPID"));
    EXPECT_EQ(wait(*child).code, 0);
    guards.push_back(pids(1)[0]);
  }
  EXPECT_THAT(guards, ElementsAre(guards[0], guards[0], guards[0]));
}

TEST_F(GuardTest, AKilledGuardIsTheChildsFaultAndTheNextChildHasAnother) {
  auto child = start(shell("echo $PPID; echo $$; sleep 1000"));
  const std::vector<pid_t> processes = pids(2);
  kill(processes[0], SIGKILL);
  EXPECT_THAT(wait(*child).describe(), HasSubstr("windrow-guard"));
  expect_all_end({processes[1]});
  child = start(shell("exit 5"));
  EXPECT_EQ(wait(*child).code, 5);
}

TEST_F(GuardTest, AnIdleGuardThatWasKilledIsReplaced) {
  wait(*start(shell("echo $PPID")));
  kill(pids(1)[0], SIGKILL);
  expect_all_end({pids(1)[0]});
  EXPECT_EQ(wait(*start(shell("exit 5"))).code, 5);
}

TEST_F(GuardTest, NothingWaitsForAGuardThatIsStuck) {
  auto child = start(shell("echo $PPID; echo $$; sleep 1000"));
  const std::vector<pid_t> processes = pids(2);
  kill(processes[0], SIGSTOP);
  const auto began = Clock::now();
  child->signal(SIGKILL);
  EXPECT_FALSE(child->poll_exit());
  child.reset();
  EXPECT_EQ(wait(*start(shell("exit 5"))).code, 5);
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
  kill(processes[0], SIGCONT);
  expect_all_end(processes);
}

TEST_F(GuardTest, TheGuardOutlivesTheSignalsThatBatchSystemsSend) {
  auto child = start(shell("echo $PPID; read line; echo $line"));
  const pid_t guard = pids(1)[0];
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM})
    ASSERT_EQ(kill(guard, number), 0);
  child->write("still here\n");
  EXPECT_EQ(wait(*child).code, 0);
  EXPECT_EQ(out_.back(), "still here");
}

TEST_F(GuardTest, TheTrainerHasTheSignalsThatProgramsExpect) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // as in windrow
  sigset_t blocked, old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigprocmask(SIG_BLOCK, &blocked, &old);
  const auto child = start({{"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, {}});
  wait(*child);
  std::signal(SIGPIPE, before);
  sigprocmask(SIG_SETMASK, &old, nullptr);
  ASSERT_THAT(out_, ElementsAre("SigBlk:\t0000000000000000", testing::StartsWith("SigIgn:\t")));
  const std::uint64_t ignored = std::stoull(out_[1].substr(8), nullptr, 16);
  const auto is_ignored = [&](int number) { return (ignored >> (number - 1) & 1) != 0; };
  for (const int number : {SIGUSR1, SIGUSR2}) EXPECT_TRUE(is_ignored(number)) << number;
  for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGCHLD})
    EXPECT_FALSE(is_ignored(number)) << number;
}

TEST_F(GuardTest, TheTrainerLeadsAGroupOfItsOwn) {
  const auto child = start(shell("ps -o pgid= -p $$; echo $$"));
  wait(*child);
  const std::vector<pid_t> ids = pids(2);
  EXPECT_EQ(ids[0], ids[1]);
}

TEST_F(GuardTest, TheTrainerGetsTheLimitOfOpenFilesThatIsAskedFor) {
  GuardPool guards(loop_, 123);
  ChildProcess child(guards, shell("ulimit -Sn"),
                     {.on_stdout = [this](std::string_view line) { out_.emplace_back(line); }});
  wait(child);
  EXPECT_THAT(out_, ElementsAre("123"));
}

// But for those that windrow was itself started with: `<(...)` of a shell is such a file.
TEST_F(GuardTest, TheTrainerHasNoFilesOfWindrow) {
  std::vector<std::string> inherited;
  FILE* list = popen("exec ls /proc/self/fd", "re");
  for (int number; std::fscanf(list, "%d", &number) == 1;)
    inherited.push_back(std::to_string(number));
  pclose(list);
  wait(*start({{"ls", "/proc/self/fd"}, {}}));
  EXPECT_THAT(out_, testing::IsSubsetOf(inherited));
}

TEST_F(GuardTest, AProgramThatCantBeExecutedIsNamedWithTheReason) {
  const auto child = start({{"/etc/passwd"}, {}});
  const ChildExit exit = wait(*child);
  EXPECT_EQ(exit.describe(), "can't start /etc/passwd: Permission denied");
  EXPECT_FALSE(exit.code || exit.signal);
  EXPECT_EQ(wait(*start({{"no-such-program-in-path"}, {}})).describe(),
            "can't start no-such-program-in-path: No such file or directory");
}

TEST_F(GuardTest, ALongCommandLineArrivesWhole) {
  const std::string argument(100'000, 'x');  // the kernel takes 131,071 in one
  ChildCommand command{{"sh", "-c", "echo ${#1} $# ${#LONG}", "sh"}, {{"LONG", argument}}};
  for (int i = 0; i < 5; ++i) command.argv.push_back(argument);
  wait(*start(command));
  EXPECT_THAT(out_, ElementsAre("100000 5 100000"));
}

TEST_F(GuardTest, TheEndIsToldByTheLoopAndMayDestroyTheChild) {
  std::unique_ptr<ChildProcess> child;
  std::optional<ChildExit> exit;
  child = start(shell("echo bye; exit 9"), {.on_ended = [&] {
                  exit = child->poll_exit();
                  child.reset();
                }});
  run_until("the end", [&] { return child == nullptr; });
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 9);
  EXPECT_THAT(out_, ElementsAre("bye"));
}

}  // namespace
}  // namespace windrow
