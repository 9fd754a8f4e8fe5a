#include "worker/gang/helper.h"

#include <charconv>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

using protocol::TrainerFailure;

// The lead's store was there before anybody was told of it.
constexpr std::chrono::seconds kConnectLimit{5};

StorePtr connect(const std::string& address, std::chrono::milliseconds deadline) {
  const std::size_t colon = address.rfind(':');
  c10d::TCPStoreOptions options;
  if (colon == address.npos ||
      std::from_chars(address.data() + colon + 1, address.data() + address.size(), options.port)
              .ec != std::errc())
    throw TrainerError(TrainerFailure::spec,
                       "the gang's store is \"" + address + "\"; expected HOST:PORT");
  options.waitWorkers = false;
  options.timeout = std::min<std::chrono::milliseconds>(deadline, kConnectLimit);
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>(address.substr(0, colon), options);
    store->setTimeout(deadline);
    return store;
  } catch (const std::exception&) {
    throw TrainerError(TrainerFailure::gang, "the gang's lead at " + address +
                                                 " can't be reached: it is gone, or the network "
                                                 "between the hosts doesn't let it through");
  }
}

}  // namespace

GangHelper::GangHelper(const protocol::Helping& place, at::Device device,
                       std::chrono::milliseconds deadline)
    : number_(place.number),
      device_(device),
      deadline_(deadline),
      store_(connect(place.store, deadline)),
      gang_(make_solo()) {}

void GangHelper::say_here() {
  store_->set("here/" + std::to_string(number_), std::string("1"));
}

void GangHelper::say_leaving() {
  try {
    store_->set("leaving/" + std::to_string(number_), std::string("1"));
  } catch (const std::exception&) {
    // The lead is gone: next() will find out.
  }
}

Instruction GangHelper::next(const std::function<void()>& meanwhile) {
  const std::string key = instruction_key(number_, heard_);
  auto pause = std::chrono::microseconds(100);
  while (true) {
    meanwhile();
    try {
      if (store_->check({key})) {
        const Instruction instruction = instruction_from(store_->get_to_str(key));
        store_->deleteKey(key);
        ++heard_;
        return instruction;
      }
    } catch (const std::exception&) {
      return {.end = true};
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(5000));
  }
}

void GangHelper::join(const Instruction& instruction, const std::vector<at::Tensor>& state) {
  if (instruction.generation == generation_) return;
  gang_ = make_solo();
  store_->set(joining_key(number_, instruction.generation), std::string("1"));
  gang_ = join_generation(store_, instruction.generation,
                          {.rank = instruction.rank,
                           .size = instruction.size,
                           .device = device_,
                           .deadline = deadline_});
  generation_ = instruction.generation;
  for (const at::Tensor& tensor : state) gang_->broadcast(tensor);
}

}  // namespace windrow::worker
