// Writes checkpoints while the next epoch trains, and sends each epoch's message once it is
// durable.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "worker/attempt.h"
#include "worker/checkpoint/checkpoint.h"

namespace windrow::worker {

// Where epochs are shorter than a disk sync, only the newest waiting snapshot is written next; it
// makes the epochs before it durable as well (group commit).
class CheckpointWriter {
 public:
  CheckpointWriter(const CheckpointFolder& folder, const Send& send);
  // Gives up what has not begun to be written, without sending its messages.
  ~CheckpointWriter();

  // Takes the state after an epoch, and the epoch's message. Throws what went wrong with an
  // earlier write.
  void submit(Checkpoint snapshot, protocol::Epoch message);

  // Waits until everything submitted is durable and sent. Throws what went wrong.
  void flush();

  // The same where an error is under way already: what goes wrong here is not reported.
  void flush_quietly() noexcept;

 private:
  void run();

  const CheckpointFolder& folder_;
  const Send& send_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Checkpoint> waiting_;
  std::vector<protocol::Epoch> messages_;  // of waiting_ and of the snapshots it replaced
  bool writing_ = false;
  bool leave_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace windrow::worker
