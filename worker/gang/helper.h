// A helper's side of a gang (lead.h): takes the lead's instructions, epoch by epoch.
#pragma once

#include <functional>

#include "worker/gang/lead.h"

namespace windrow::worker {

class GangHelper {
 public:
  // `place.store` is HOST:PORT. Throws TrainerError{gang} where the lead can't be reached.
  GangHelper(const protocol::Helping& place, at::Device device, std::chrono::milliseconds deadline);

  void say_here();     // the training is ready
  void say_leaving();  // the lead will let it go after the epoch in progress

  // Waits for the next instruction, which may be to end; so is a lead that is gone. `meanwhile` is
  // called at least once a second, and what it throws gets through.
  Instruction next(const std::function<void()>& meanwhile);

  // Joins the instruction's gang where it is a new one, and takes the lead's state then.
  void join(const Instruction& instruction, const std::vector<at::Tensor>& state);
  Gang& gang() { return *gang_; }

 private:
  int number_;
  at::Device device_;
  std::chrono::milliseconds deadline_;
  StorePtr store_;
  int heard_ = 0;  // instructions
  int generation_ = 0;
  std::unique_ptr<Gang> gang_;
};

}  // namespace windrow::worker
