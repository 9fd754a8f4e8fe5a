#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "orchestrator/process/child_process.h"

namespace windrow {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::StartsWith;

// A zombie is none.
bool is_alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  return name_end != text.npos && text.compare(name_end, 3, ") Z") != 0;
}

class ChildProcessTest : public testing::Test {
 protected:
  std::unique_ptr<ChildProcess> shell(const std::string& script) {
    return std::make_unique<ChildProcess>(
        guards_, ChildCommand{{"sh", "-c", script}, {{"GREETING", "hello"}}},
        ChildEvents{.on_stdout = [this](std::string_view line) { out_.emplace_back(line); }});
  }

  ChildExit wait(ChildProcess& child) {
    const auto deadline = Clock::now() + 20s;
    while (Clock::now() < deadline) {
      if (auto exit = child.poll_exit()) return *exit;
      loop_.run_once(50ms);
    }
    ADD_FAILURE() << "the child did not end";
    return {};
  }

  EventLoop loop_;
  GuardPool guards_{loop_};
  std::vector<std::string> out_;
};

TEST_F(ChildProcessTest, DeliversLinesTheLastWithoutALineBreakToo) {
  auto child = shell("echo one; printf 'two\\nthree'; exit 4");
  EXPECT_EQ(wait(*child).code, 4);
  EXPECT_THAT(out_, ElementsAre("one", "two", "three"));
}

TEST_F(ChildProcessTest, KeepsTheTailOfStderrFromTheStartOfALine) {
  auto child = shell("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done");
  wait(*child);
  EXPECT_THAT(child->stderr_tail(), EndsWith("line 1999\n"));
  EXPECT_LE(child->stderr_tail().size(), 4096u);
  EXPECT_THAT(child->stderr_tail(), StartsWith("line "));
}

// However the text is cut up by the pipe: here it comes in one piece, longer than is kept.
TEST_F(ChildProcessTest, KeepsTheTailOfStderrThatComesInOnePiece) {
  for (const char* text : {"$(seq 3000 4999)", "$(seq 3000 5999)"}) {  // 10,000 and 15,000 bytes
    auto child = shell(std::string("printf '%s\n' \"") + text + "\" >&2");
    wait(*child);
    EXPECT_LE(child->stderr_tail().size(), 4096u);
    EXPECT_GT(child->stderr_tail().size(), 4090u);
    EXPECT_EQ(child->stderr_tail().find('\n'), 4u) << child->stderr_tail().substr(0, 10);
  }
}

TEST_F(ChildProcessTest, KeepsTheEndOfALineThatIsLongerThanTheTail) {
  auto child = shell("printf '%9000s' end >&2");
  wait(*child);
  EXPECT_EQ(child->stderr_tail().size(), 4096u);
  EXPECT_THAT(child->stderr_tail(), EndsWith(" end"));
}

TEST_F(ChildProcessTest, AddsToTheEnvironmentAndWritesStdin) {
  auto child = shell("read line; echo $GREETING $line $HOME");
  child->write("world\n");
  wait(*child);
  EXPECT_THAT(out_, ElementsAre("hello world " + std::string(getenv("HOME"))));
}

TEST_F(ChildProcessTest, IsKilledBeforeThisProcessWhereMemoryRunsOut) {
  int ours = 0;
  std::ifstream("/proc/self/oom_score_adj") >> ours;
  auto child = shell("cat /proc/self/oom_score_adj");
  wait(*child);
  EXPECT_THAT(out_, ElementsAre(std::to_string(std::max(ours, 500))));
}

TEST_F(ChildProcessTest, ReportsTheSignal) {
  auto child = shell("kill -SEGV $$");
  EXPECT_EQ(wait(*child).signal, SIGSEGV);
}

TEST_F(ChildProcessTest, DiesWithItsGuard) {
  auto child = shell("echo $PPID; exec sleep 1000");
  const auto deadline = Clock::now() + 20s;
  while (out_.empty() && Clock::now() < deadline) loop_.run_once(50ms);
  ASSERT_EQ(out_.size(), 1u);
  const pid_t pid = child->pid();
  kill(std::stoi(out_[0]), SIGKILL);
  const ChildExit exit = wait(*child);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.describe(), "the end of windrow-guard (process " + out_[0] +
                                 "), which was killed; its trainer dies with it");
  while (is_alive(pid) && Clock::now() < deadline) loop_.run_once(10ms);
  EXPECT_FALSE(is_alive(pid));
}

TEST_F(ChildProcessTest, AMissingProgramIsAnErrorThatNamesIt) {
  ChildProcess child(guards_, {{"/no/such/program"}, {}}, {});
  EXPECT_EQ(wait(child).describe(), "can't start /no/such/program: No such file or directory");
}

TEST_F(ChildProcessTest, LargeInputArrivesWholeThoughThePipeIsFull) {
  auto child = shell("wc -c");
  child->write(std::string(1 << 20, 'x'));
  child->close_stdin();
  wait(*child);
  EXPECT_THAT(out_, ElementsAre("1048576"));
}

TEST_F(ChildProcessTest, ClosingStdoutIsNotTheEndButIsTold) {
  bool closed = false;
  ChildProcess child(guards_, {{"sh", "-c", "echo bye; exec >&-; echo still >&2; read line"}, {}},
                     {.on_stdout = [this](std::string_view line) { out_.emplace_back(line); },
                      .on_stdout_closed = [&] { closed = true; }});
  const auto deadline = Clock::now() + 20s;
  while ((!closed || child.stderr_tail().empty()) && Clock::now() < deadline) loop_.run_once(50ms);
  EXPECT_TRUE(closed);
  EXPECT_THAT(out_, ElementsAre("bye"));
  EXPECT_FALSE(child.poll_exit());
  child.close_stdin();
  EXPECT_EQ(wait(child).code, 1);
}

TEST_F(ChildProcessTest, ALineThatIsTooLongIsToldAndWhatFollowsArrives) {
  int too_long = 0;
  ChildProcess child(
      guards_, {{"sh", "-c", "head -c 70000000 /dev/zero | tr '\\0' x; echo; echo after"}, {}},
      {.on_stdout = [this](std::string_view line) { out_.emplace_back(line); },
       .on_line_too_long = [&] { ++too_long; }});
  wait(child);
  EXPECT_EQ(too_long, 1);
  EXPECT_THAT(out_, ElementsAre("after"));
}

TEST_F(ChildProcessTest, AProgressBarOnStderrArrivesAsItMovesAndIsLife) {
  std::vector<std::string> err;
  int life = 0;
  ChildProcess child(guards_,
                     {{"sh", "-c", "printf '10%%\\r20%%\\r' >&2; printf . ; read line"}, {}},
                     {.on_stdout = [this](std::string_view line) { out_.emplace_back(line); },
                      .on_stderr = [&](std::string_view line) { err.emplace_back(line); },
                      .on_output = [&] { ++life; }});
  const auto deadline = Clock::now() + 20s;
  while ((err.size() < 2 || life < 2) && Clock::now() < deadline) loop_.run_once(50ms);
  EXPECT_THAT(err, ElementsAre("10%", "20%"));
  EXPECT_THAT(out_, testing::IsEmpty());  // no line yet, but a sign of life
  EXPECT_GE(life, 2);
}

TEST_F(ChildProcessTest, TheTailOfStderrIsUtf8AndNotCutInsideACharacter) {
  auto child = shell("printf 'caf\\351' >&2");
  wait(*child);
  EXPECT_EQ(child->stderr_tail(), "caf\uFFFD");
  // 3 bytes each; 4096 is no multiple of 3.
  child = shell("i=0; while [ $i -lt 2000 ]; do printf '\\342\\234\\223' >&2; i=$((i+1)); done");
  wait(*child);
  const std::string tail = child->stderr_tail();
  EXPECT_EQ(tail.size(), 4095u);
  EXPECT_THAT(tail, StartsWith("\u2713"));
}

}  // namespace
}  // namespace windrow
