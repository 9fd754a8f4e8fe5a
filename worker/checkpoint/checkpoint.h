// The checkpoint file: all that a trial needs to go on after an epoch, checked by a hash.
//
//   magic "WNDRWCKP", version u32, epoch u32, trial hash (32 hexadecimal digits), payload size u64
//   payload: for each blob its size u64 and bytes, after their number u32; then the epoch messages
//            so far, as lines of the line protocol, likewise; then likewise what computed the
//            state, and what is where in it (files of earlier versions end before)
//   XXH3-128 of all that precedes, 32 hexadecimal digits: the "checkpoint_hash" of epoch messages
//
// Numbers are little-endian.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::worker {

struct Checkpoint {
  int epoch = 0;
  std::string trial_hash;          // what the state belongs to: see checkpoint/trial_hash.h
  std::vector<std::string> blobs;  // raw bytes of the state's tensors, in the training's order
  std::string history;             // epoch messages 1 .. epoch as lines, without their checkpoint
  std::string computed_by;         // device and precision, for example "cpu in float32"
  std::string layout = {};         // see checkpoint/exported_weights.h; "" = not told
};

// A file that is no usable checkpoint; what() names the file and what is wrong with it.
struct CheckpointError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string checkpoint_name(int epoch);  // "epoch-<n>.ckpt"

// A folder of one trial's checkpoints. The two newest are kept.
class CheckpointFolder {
 public:
  // Makes the folder when needed and removes what an interrupted write left. Throws TrainerError.
  explicit CheckpointFolder(std::filesystem::path folder);

  // Epochs for which there is a file, the newest first.
  std::vector<int> epochs() const;

  // Throws CheckpointError.
  Checkpoint read(int epoch, std::string* content_hash) const;

  // Durable when it returns: written under a temporary name, synced, renamed, folder synced; older
  // ones but the one before are removed then. Returns the content hash. Throws TrainerError.
  std::string write(const Checkpoint& checkpoint) const;

  // Leaves only the newest one, for a trial that is over. What can't be removed stays.
  void keep_newest() const;

 private:
  void remove_all_but(std::size_t newest) const;

  std::filesystem::path folder_;
};

}  // namespace windrow::worker
