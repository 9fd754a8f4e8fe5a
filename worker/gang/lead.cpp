#include "worker/gang/lead.h"

#include <algorithm>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "worker/trainer_error.h"

namespace windrow::worker {

std::string to_text(const Instruction& instruction) {
  return protocol::Json{instruction.end, instruction.epoch, instruction.generation,
                        instruction.rank, instruction.size}
      .dump();
}

Instruction instruction_from(const std::string& text) {
  const protocol::Json json = protocol::Json::parse(text);
  return {json.at(0), json.at(1), json.at(2), json.at(3), json.at(4)};
}

std::string instruction_key(int helper, int number) {
  return "to/" + std::to_string(helper) + "/" + std::to_string(number);
}

std::string joining_key(int helper, int generation) {
  return "joins/" + std::to_string(helper) + "/" + std::to_string(generation);
}

std::unique_ptr<Gang> join_generation(const StorePtr& store, int generation,
                                      const GangMember& member) {
  return make_gang(
      c10::make_intrusive<c10d::PrefixStore>("gang/" + std::to_string(generation), store), member);
}

GangLead::GangLead(int widest, at::Device device, std::chrono::milliseconds deadline)
    : widest_(widest), device_(device), deadline_(deadline), gang_(make_solo()) {
  if (widest <= 1) return;
  c10d::TCPStoreOptions options;
  options.port = 0;
  options.isServer = true;
  options.waitWorkers = false;
  options.timeout = deadline;
  const auto store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
  port_ = store->getPort();
  store_ = store;
}

GangLead::~GangLead() {
  dismiss();
}

bool GangLead::is_set(const char* what, int helper) const {
  return store_->check({std::string(what) + "/" + std::to_string(helper)});
}

void GangLead::tell(int helper, const Instruction& instruction) {
  store_->set(instruction_key(helper, told_[helper]++), to_text(instruction));
}

// It finds that when it comes.
void GangLead::send_away(int helper) {
  if (sent_away_.insert(helper).second) tell(helper, {.end = true});
}

// A helper that died since it said that it is here would be waited for until the deadline.
void GangLead::await_members() const {
  constexpr std::chrono::seconds kLimit{10};
  const auto until =
      std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(deadline_, kLimit);
  for (const int helper : members_)
    while (!store_->check({joining_key(helper, generation_)})) {
      if (std::chrono::steady_clock::now() > until)
        throw TrainerError(
            protocol::TrainerFailure::gang,
            "a member of the gang is lost: helper " + std::to_string(helper) + " does not answer");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void GangLead::settle(const std::vector<int>& wanted, const std::vector<int>& released, int epoch,
                      const std::vector<at::Tensor>& state) {
  if (!store_) return;
  for (const int helper : released) send_away(helper);
  std::vector<int> members;
  for (const int helper : wanted) {
    if (static_cast<int>(members.size()) + 1 >= widest_) break;
    if (std::ranges::find(members, helper) != members.end()) continue;
    if (!is_set("here", helper)) continue;
    if (is_set("leaving", helper))
      send_away(helper);
    else
      members.push_back(helper);
  }
  if (members.empty() && members_.empty()) return;
  const bool same = members == members_;
  if (!same) {
    for (const int helper : members_)
      if (std::ranges::find(members, helper) == members.end()) send_away(helper);
    members_ = members;
    ++generation_;
    gang_ = make_solo();
  }
  const int size = static_cast<int>(members_.size()) + 1;
  for (int rank = 1; rank < size; ++rank)
    tell(members_[static_cast<std::size_t>(rank) - 1],
         {.epoch = epoch, .generation = generation_, .rank = rank, .size = size});
  if (same || size == 1) return;
  await_members();
  gang_ = join_generation(store_, generation_,
                          {.rank = 0, .size = size, .device = device_, .deadline = deadline_});
  for (const at::Tensor& tensor : state) gang_->broadcast(tensor);
}

void GangLead::dismiss() {
  try {
    for (const int helper : members_) tell(helper, {.end = true});
  } catch (const std::exception&) {
    // Those who are left see that the store is gone.
  }
  members_.clear();
}

}  // namespace windrow::worker
