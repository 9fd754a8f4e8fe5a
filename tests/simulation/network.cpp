#include "tests/simulation/network.h"

#include <algorithm>

namespace windrow::simulation {

class SimulatedLink : public Link {
 public:
  SimulatedLink(std::shared_ptr<Network> network, int rank)
      : network_(std::move(network)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(network_->ranks_.size()); }
  LocalShare local_share(std::uint64_t) override { return {}; }
  void send(int rank, std::vector<std::uint8_t> bytes) override {
    network_->send(rank_, rank, std::move(bytes));
  }
  bool receive(int& rank, std::vector<std::uint8_t>& bytes) override {
    auto& inbox = network_->ranks_[static_cast<std::size_t>(rank_)].inbox;
    if (inbox.empty()) return false;
    rank = inbox.front().first;
    bytes = std::move(inbox.front().second);
    inbox.pop_front();
    return true;
  }
  void forget(int) override {}
  void finish() override {}

 private:
  std::shared_ptr<Network> network_;
  int rank_;
};

Network::Network(World& world, int ranks)
    : world_(world), ranks_(static_cast<std::size_t>(ranks)) {}

std::unique_ptr<Link> Network::link(int rank, std::function<void()> arrived) {
  ranks_[static_cast<std::size_t>(rank)].arrived = std::move(arrived);
  return std::make_unique<SimulatedLink>(shared_from_this(), rank);
}

void Network::send(int from, int to, Bytes bytes) {
  const double seconds = delay_ * world_.random().between(0.05, 2.0);
  Time& last = last_[{from, to}];
  last = std::max(last, world_.now() + duration(seconds));
  world_.at(last, [self = shared_from_this(), from, to, bytes = std::move(bytes)]() mutable {
    self->arrive(from, to, std::move(bytes));
  });
}

void Network::arrive(int from, int to, Bytes bytes) {
  Rank& receiver = ranks_[static_cast<std::size_t>(to)];
  if (receiver.dead) return;
  auto& held = held_[{from, to}];
  if (receiver.cut || ranks_[static_cast<std::size_t>(from)].cut || !held.empty()) {
    held.push_back(std::move(bytes));
    return;
  }
  receiver.inbox.emplace_back(from, std::move(bytes));
  if (receiver.arrived) receiver.arrived();
}

void Network::kill(int rank) {
  Rank& dead = ranks_[static_cast<std::size_t>(rank)];
  dead.dead = true;
  dead.inbox.clear();
  dead.arrived = nullptr;
}

void Network::cut_off(int rank, bool cut) {
  ranks_[static_cast<std::size_t>(rank)].cut = cut;
  if (cut) return;
  for (auto& [pair, held] : held_) {
    const auto [from, to] = pair;
    if (ranks_[static_cast<std::size_t>(from)].cut || ranks_[static_cast<std::size_t>(to)].cut)
      continue;
    for (std::deque<Bytes> now = std::exchange(held, {}); !now.empty(); now.pop_front())
      arrive(from, to, std::move(now.front()));
  }
}

}  // namespace windrow::simulation
