// Bytes between ranks. The one thing that an MPI library must do for Windrow; loaded at run time,
// so that `windrow` itself needs no MPI.
#pragma once

#include <cstdint>
#include <vector>

namespace windrow {

class Link {
 public:
  virtual ~Link() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Which of the ranks on this host hold the same `value`, and this rank's place among them.
  // Collective over the host's ranks; for start-up only. Throws std::runtime_error.
  struct LocalShare {
    int index = 0;
    int count = 1;
  };
  virtual LocalShare local_share(std::uint64_t value) = 0;

  // Queues the bytes for the rank; never waits. What goes to a dead rank is lost silently.
  virtual void send(int rank, std::vector<std::uint8_t> bytes) = 0;

  // The next message that has arrived; false: none.
  virtual bool receive(int& rank, std::vector<std::uint8_t>& bytes) = 0;

  // Lets go of what is still to be sent to the rank, which is dead.
  virtual void forget(int rank) = 0;

  // Ends the use of the library: collective, so only where every rank gets here; it waits for them.
  virtual void finish() = 0;
};

}  // namespace windrow
