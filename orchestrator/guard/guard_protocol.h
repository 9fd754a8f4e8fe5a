// What windrow and windrow-guard say to each other over a socket that keeps messages apart
// (SOCK_SEQPACKET, this host, the same build on both ends).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace windrow::guard {

constexpr int kSocket = 3;  // the guard's end of it

enum class Request : std::int32_t {
  // With four files: the trainer's stdin, stdout and stderr, and a memory file that holds the
  // Launch. Only while nothing runs.
  run,
  signal,  // value: its number, for the trainer's process group. SIGKILL: all that it started, too.
  lock,    // text: its file, value: the record. One that is held or waited for is let go first.
  unlock,
  // With one file, whose locks windrow takes by itself: the guard's copy keeps them while it lives,
  // should windrow die.
  keep,
};

enum class Report : std::int32_t {
  started,      // value: the trainer's pid
  not_started,  // value: errno of execve(2)
  // value: the trainer's wait status; what it left running is being killed. Text: the CPU time of
  // it and of its children that it waited for, in microseconds, and the most memory that one of
  // them held, in KiB.
  ended,
  gone,  // it and all that it started are gone, and its lock is free; the guard can run again
  locked,
  busy,        // text: who holds the lock, "" where that is not known; it is waited for
  unlockable,  // value: errno; the guard goes on without a lock
};

struct Header {
  std::int32_t kind;
  std::int32_t value;
};

constexpr std::size_t kLongestText = 8192;  // more than PATH_MAX

// A Launch as bytes: these counts, then so many texts, each with a NUL at its end: the lock's file
// ("" = none), the arguments, the variables.
struct LaunchHeader {
  std::int32_t lock_record;
  std::uint32_t arguments;
  std::uint32_t variables;
};

}  // namespace windrow::guard
