// A gang of all devices against one of them: NCCL, or Gloo between two members on the CPU.
#include <exception>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "worker/gang/c10d_gang.h"
#include "worker/selftest/selftest.h"
#include "worker/selftest/small_cifar10.h"
#include "worker/selftest/trial.h"

namespace windrow::worker {

namespace {

// Two epochs in a gang, a thread a member; the members' state hashes.
std::vector<std::string> hashes_of(const std::vector<at::Device>& devices, const std::string& model,
                                   const protocol::Json& more, const std::string& folder) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::string> hashes(devices.size());
  std::vector<std::exception_ptr> errors(devices.size());
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < devices.size(); ++rank)
    threads.emplace_back([&, rank] {
      try {
        SmallTrial trial(model, more, devices[rank], folder);
        const auto gang = make_gang(store, {.rank = static_cast<int>(rank),
                                            .size = static_cast<int>(devices.size()),
                                            .device = devices[rank],
                                            .deadline = std::chrono::seconds(60)});
        for (int epoch = 1; epoch <= 2; ++epoch) trial.run_epoch(epoch, *gang);
        hashes[rank] = trial.hash();
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return hashes;
}

}  // namespace

void check_gang(SelfTest& test) {
  const std::vector<at::Device>& devices = test.devices();
  const std::string by = test.device().is_cuda() ? "over NCCL" : "over Gloo";
  if (devices.size() < 2) {
    test.not_tried("a gang " + by, "it needs two GPUs, and one is visible");
    return;
  }
  const SmallCifar10 images(20);
  for (const std::string model : {"cnn5x5", "resnet"})
    test.attempt(model + ", a gang of " + std::to_string(devices.size()) + " " + by, [&] {
      const protocol::Json shards{{"shards", devices.size()}};
      SmallTrial alone(model, shards, test.device(), images.folder());
      for (int epoch = 1; epoch <= 2; ++epoch) alone.run_epoch(epoch);
      const std::string expected = alone.hash();
      for (const std::string& hash : hashes_of(devices, model, shards, images.folder()))
        if (hash != expected)
          return same(hash, expected, "the gang gives other bits than one device");
      return same(expected, expected, "");
    });
}

}  // namespace windrow::worker
