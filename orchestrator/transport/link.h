// Bytes between ranks. The one thing that an MPI library must do for Windrow; loaded at run time,
// so that `windrow` itself needs no MPI.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace windrow {

class Link {
 public:
  virtual ~Link() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Which of the ranks on this host hold the same `value`, and this rank's place among them.
  // Collective over the host's ranks; for start-up only.
  struct LocalShare {
    int index = 0;
    int count = 1;
  };
  virtual LocalShare local_share(std::uint64_t value) = 0;

  // Queues the bytes for the rank; never waits. What goes to a dead rank is lost silently.
  virtual void send(int rank, std::vector<std::uint8_t> bytes) = 0;

  // The next message that has arrived; false: none.
  virtual bool receive(int& rank, std::vector<std::uint8_t>& bytes) = 0;

  // Ends the use of the library. `everybody_lives`: every rank gets here, so a collective end is
  // possible; otherwise it would hang, and the caller leaves by _exit.
  virtual void finish(bool everybody_lives) = 0;
};

// Whether a launcher (mpirun, srun with PMI or PMIx) started this process as one of several ranks.
bool under_launcher();

// How many tasks srun started in this job step; 0 outside of one. More than one with an MPI that
// counts a single rank means that srun and MPI do not know of each other.
int slurm_step_tasks();

// The MPI link, from libwindrow_mpi.so beside the program. Throws std::runtime_error with the
// remedy where it can't be loaded.
std::unique_ptr<Link> load_mpi_link();

}  // namespace windrow
