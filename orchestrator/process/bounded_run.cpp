#include "orchestrator/process/bounded_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "orchestrator/process/file.h"
#include "orchestrator/process/spawn.h"

namespace windrow {
namespace {

// A file in memory that stands at its beginning; -1: there is none.
int file_of(const std::string& text) {
  const int fd = memfd_create("windrow-input", MFD_CLOEXEC);
  std::size_t at = 0;
  while (fd >= 0 && at < text.size()) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  if (fd >= 0) lseek(fd, 0, SEEK_SET);
  return fd;
}

enum class Read { end, most, deadline };

Read read_output(int fd, const BoundedRun& run, std::string& output) {
  std::array<char, 4096> buffer;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        run.deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Read::deadline;
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Read::end;
    output.append(buffer.data(), std::min(static_cast<std::size_t>(n), run.most - output.size()));
    if (output.size() == run.most && run.end_after_most) return Read::most;
  }
}

}  // namespace

BoundedResult run_bounded(const BoundedRun& run) {
  BoundedResult result;
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    result.fault = std::string("can't make a pipe: ") + std::strerror(errno);
    return result;
  }
  File output(ends[0]), child_output(ends[1]);
  const File input(file_of(run.input));
  SpawnCommand command{.argv = run.argv, .files = {{ends[1], STDOUT_FILENO}}, .own_group = true};
  if (run.with_stderr)
    command.files.emplace_back(ends[1], STDERR_FILENO);
  else
    command.null_files.push_back(STDERR_FILENO);
  if (input.get() >= 0)
    command.files.emplace_back(input.get(), STDIN_FILENO);
  else
    command.null_files.push_back(STDIN_FILENO);
  pid_t pid = -1;
  try {
    pid = spawn(command);
  } catch (const std::system_error& error) {
    result.fault = error.what();
    return result;
  }
  child_output.reset();
  const Read read = read_output(output.get(), run, result.output);
  output.reset();
  // What has closed its output may go on for a moment.
  int status = 0;
  pid_t ended = 0;
  while (read == Read::end && (ended = waitpid(pid, &status, WNOHANG)) == 0 &&
         std::chrono::steady_clock::now() < run.deadline)
    usleep(1000);
  if (ended != pid) {
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (read != Read::most) result.fault = "it did not end in time";
    return result;
  }
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace windrow
