#include "orchestrator/process/spawn.h"

#include <fcntl.h>
#include <spawn.h>

#include <csignal>
#include <system_error>

extern char** environ;

namespace windrow {
namespace {

// posix_spawn's settings.
class Settings {
 public:
  explicit Settings(const SpawnCommand& command) {
    posix_spawn_file_actions_init(&actions_);
    for (const auto& [file, number] : command.files)
      posix_spawn_file_actions_adddup2(&actions_, file, number);
    for (const int number : command.null_files)
      posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDWR, 0);
    if (!command.folder.empty())
      posix_spawn_file_actions_addchdir_np(&actions_, command.folder.c_str());
    posix_spawnattr_init(&attributes_);
    int flags = POSIX_SPAWN_SETSIGDEF;
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGPIPE, SIGINT, SIGQUIT}) sigaddset(&signals, number);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    if (command.signals_blocked) {
      sigfillset(&signals);
      posix_spawnattr_setsigmask(&attributes_, &signals);
      flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (command.own_group) flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  ~Settings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  int spawn(pid_t& pid, char* const* argv) const {
    return posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv, environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

pid_t spawn(const SpawnCommand& command) {
  std::vector<char*> argv;
  for (const std::string& argument : command.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  if (const int error = Settings(command).spawn(pid, argv.data()); error != 0)
    throw std::system_error(error, std::generic_category(), "can't start " + command.argv.at(0));
  return pid;
}

}  // namespace windrow
