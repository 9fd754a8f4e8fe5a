#include "orchestrator/process/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "orchestrator/process/spawn.h"

namespace windrow {
namespace {

// Ctrl-C is for the program that runs, as with system(3): it ends, and windrow can clean up.
class InterruptsIgnored {
 public:
  InterruptsIgnored()
      : interrupt_(std::signal(SIGINT, SIG_IGN)), quit_(std::signal(SIGQUIT, SIG_IGN)) {}
  ~InterruptsIgnored() {
    std::signal(SIGINT, interrupt_);
    std::signal(SIGQUIT, quit_);
  }
  InterruptsIgnored(const InterruptsIgnored&) = delete;
  InterruptsIgnored& operator=(const InterruptsIgnored&) = delete;

 private:
  void (*interrupt_)(int);
  void (*quit_)(int);
};

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path file = std::filesystem::path(folder) / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0)
      return file;
  }
  return std::nullopt;
}

ProgramResult run_program(const std::vector<std::string>& argv, const std::string& remedy,
                          const std::filesystem::path& folder) {
  std::array<int, 2> out;
  if (pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error(std::string("can't make a pipe: ") + std::strerror(errno));
  const InterruptsIgnored ignored;
  pid_t pid = -1;
  try {
    pid = spawn({.argv = argv, .files = {{out[1], STDOUT_FILENO}}, .folder = folder});
  } catch (const std::system_error& error) {
    close(out[0]);
    close(out[1]);
    throw std::runtime_error(error.what() + ("; " + remedy));
  }
  close(out[1]);
  ProgramResult result;
  result.output = read_to_end(out[0]);
  close(out[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

}  // namespace windrow
