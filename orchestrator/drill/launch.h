// A run of the drill's study, started as the user starts runs on this cluster.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace windrow::drill {

class Launch {
 public:
  // `launcher` is words of the shell before the program, "" = none. Its output is appended to
  // `log`. Throws std::system_error where it can't be started.
  Launch(const std::string& launcher, const std::vector<std::string>& arguments,
         const std::filesystem::path& log);
  ~Launch();  // kills it where it still runs
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  // The exit code, 128 + the signal's number where one ended it; nullopt: it runs.
  std::optional<int> poll();
  void terminate();  // SIGTERM, to the launcher alone
  void kill();       // it and all that it started here

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace windrow::drill
