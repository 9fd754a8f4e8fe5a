#include "orchestrator/drill/launch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "orchestrator/process/file.h"
#include "orchestrator/process/spawn.h"

namespace windrow::drill {

Launch::Launch(const std::string& launcher, const std::vector<std::string>& arguments,
               const std::filesystem::path& log) {
  const File out(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (out.get() < 0)
    throw std::system_error(errno, std::generic_category(), "can't write " + log.string());
  std::vector<std::string> argv = {"/bin/sh", "-c", "exec " + launcher + " \"$@\"", "sh"};
  argv.push_back(std::filesystem::read_symlink("/proc/self/exe").string());
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  pid_ = spawn({.argv = argv,
                .files = {{out.get(), STDOUT_FILENO}, {out.get(), STDERR_FILENO}},
                .null_files = {STDIN_FILENO},
                .folder = {},
                .own_group = true});
}

Launch::~Launch() {
  if (poll()) return;
  kill();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> Launch::poll() {
  int status = 0;
  if (!exit_code_ && waitpid(pid_, &status, WNOHANG) == pid_)
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

void Launch::terminate() {
  if (!exit_code_) ::kill(pid_, SIGTERM);
}

void Launch::kill() {
  if (!exit_code_) ::kill(-pid_, SIGKILL);
}

}  // namespace windrow::drill
