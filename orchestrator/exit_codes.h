// The exit codes of `windrow`, as README states them.
#pragma once

namespace windrow {

enum Exit : int {
  kAllDone = 0,
  kSomeFailed = 1,
  kUsage = 2,        // wrong usage, a bad study file
  kInterrupted = 3,  // work is left: run the same command again
  kDatabase = 4,     // the database can't be used
  kStopped = 5,      // of `status --exit-code`: work is left, but `windrow stop` ended the run
};

}  // namespace windrow
