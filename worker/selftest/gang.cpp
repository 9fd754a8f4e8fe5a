// A gang of all devices against one of them: NCCL, or Gloo between two members on the CPU.
#include "worker/selftest/gang_of_threads.h"
#include "worker/selftest/selftest.h"
#include "worker/selftest/small_cifar10.h"
#include "worker/selftest/trial.h"

namespace windrow::worker {

namespace {

// The members' state hashes after two epochs in a gang.
std::vector<std::string> hashes_of(const std::vector<at::Device>& devices, const std::string& model,
                                   const protocol::Json& more, const std::string& folder) {
  std::vector<std::string> hashes(devices.size());
  in_gang(devices, [&](Gang& gang) {
    const auto rank = static_cast<std::size_t>(gang.rank());
    SmallTrial trial(model, more, devices[rank], folder);
    for (int epoch = 1; epoch <= 2; ++epoch) trial.run_epoch(epoch, gang);
    hashes[rank] = trial.hash();
  });
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
