// A lock on a file: who holds it may work in the file's folder.
#pragma once

#include <string>

namespace windrow::guard {

class AttemptLock {
 public:
  AttemptLock() = default;
  ~AttemptLock() { let_go(); }
  AttemptLock(const AttemptLock&) = delete;
  AttemptLock& operator=(const AttemptLock&) = delete;

  struct Outcome {
    enum class Kind { taken, busy, impossible } kind;
    std::string holder;  // busy: "HOST, process PID"; "" where it is not known
    int error = 0;       // impossible: errno
  };
  // Makes the file, and its folder, where they are missing. Doesn't wait for other holders; a dead
  // file server may hold it up. Lets go of what it held before.
  Outcome try_take(const std::string& file);
  void let_go();

 private:
  int fd_ = -1;
};

}  // namespace windrow::guard
