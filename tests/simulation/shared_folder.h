// What all machines see of their shared file system: trials' folders with their checkpoints, and
// the locks of attempts.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace windrow::simulation {

struct Checkpoint {
  std::uint64_t owner = 0;  // the trial's key
  int epoch = 0;
  std::uint64_t state = 0;
};

class SharedFolder {
 public:
  using Holder = int;  // a process's number

  std::vector<Checkpoint>& checkpoints(const std::string& folder) { return folders_[folder]; }
  bool holds_files(const std::string& folder) const;
  void remove(const std::string& folder);
  const std::set<std::string>& removed() const { return removed_; }  // all that ever were

  // Locks, a number each in a file. `taken` is called once the holder has it: at once (true), or
  // when those before it have let go.
  bool lock(const std::string& file, int record, Holder holder, std::function<void()> taken);
  void unlock(Holder holder);  // all of them, and those that it waits for

 private:
  struct Lock {
    Holder holder = 0;  // 0: nobody
    std::deque<std::pair<Holder, std::function<void()>>> waiting;
  };
  std::map<std::string, std::vector<Checkpoint>> folders_;
  std::set<std::string> removed_;
  std::map<std::pair<std::string, int>, Lock> locks_;
};

}  // namespace windrow::simulation
