// A gang: the processes that train one trial together, each with shares of every batch. What they
// add up, they add in an order that doesn't depend on how many they are (shard_sum.h), so that the
// size of a gang changes no bit of the trial.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace windrow::worker {

// Every function is called by all members, in the same order; none of them changes a solo gang's
// tensors. Each throws TrainerError{gang} when a member is lost, or silent for longer than the
// gang's deadline. Tensors are on the device that the members train on; those of `sum`, `broadcast`
// and `agree` may be on the CPU as well.
class Gang {
 public:
  virtual ~Gang() = default;

  virtual int rank() const = 0;  // 0 is the lead, which alone reports and writes checkpoints
  virtual int size() const = 0;

  // Rows of `in` (float [rows, ...]) go to the members in order, in[sends[0]] to the first, and so
  // on; `out` has theirs in the order of the members, receives[i] rows from member i.
  virtual void all_to_all(const at::Tensor& out, const at::Tensor& in,
                          const std::vector<std::int64_t>& receives,
                          const std::vector<std::int64_t>& sends) = 0;
  // out [size, ...] has every member's `in` [...] in the order of the members.
  virtual void all_gather(const at::Tensor& out, const at::Tensor& in) = 0;
  // Adds up what the members have, in place. Exact, and so the same for every size, where at most
  // one member has other than 0 in a place, or where the numbers are whole.
  virtual void sum(const at::Tensor& tensor) = 0;
  virtual void broadcast(const at::Tensor& tensor) = 0;  // the lead's
  // Throws TrainerError{gang} unless all members call it with the same text.
  void agree(const std::string& what, const std::string& text);
};

// One process: does nothing.
std::unique_ptr<Gang> make_solo();

}  // namespace windrow::worker
