// A lock on one record of a file: who holds it may work in the folder of that trial.
#pragma once

#include <sys/types.h>

#include <string>

namespace windrow::guard {

// One file serves all trials of a study: a file for each would cost as much as a small trial. The
// locks are of fcntl(2), by open file description, which file systems of clusters know across hosts
// (NFS; Lustre where mounted with flock). The record names the holder, for people.
class AttemptLock {
 public:
  AttemptLock() = default;
  ~AttemptLock();
  AttemptLock(const AttemptLock&) = delete;
  AttemptLock& operator=(const AttemptLock&) = delete;

  struct Outcome {
    enum class Kind { taken, busy, impossible } kind;
    std::string holder;  // busy: "HOST, process PID"; "" where it is not known
    int error = 0;       // impossible: errno
  };
  // Makes the file, and its folder, where they are missing. Doesn't wait for other holders; a dead
  // file server may hold it up. Lets go of what it held before.
  Outcome try_take(const std::string& file, int record);
  void let_go();
  // Of the file, while it is open: a copy of it in another process keeps the lock, too.
  int file() const { return fd_; }

  // Whose lock it is said to be: this process's, where none is given.
  void set_holder(int pid) { pid_ = pid; }

 private:
  bool is_still_named(const std::string& file) const;
  bool open_file(const std::string& file);
  void close_file();
  int set(short kind) const;
  std::string holder() const;
  void write_holder() const;

  std::string file_;
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int record_ = 0;
  bool held_ = false;
  int pid_ = 0;
};

}  // namespace windrow::guard
