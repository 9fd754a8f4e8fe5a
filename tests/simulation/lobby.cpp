#include "tests/simulation/lobby.h"

#include <algorithm>
#include <set>
#include <utility>

namespace windrow::simulation {

static constexpr std::chrono::milliseconds kBeatInterval{1000};

// What has come in order, and the time of the next beat.
struct Ears {
  std::deque<std::pair<std::string, Channel::Bytes>> arrived;
  Time beat{};

  bool beats(Time now) {
    if (now - beat < kBeatInterval) return false;
    beat = now;
    return true;
  }
};

class SimulatedDoor : public Door {
 public:
  explicit SimulatedDoor(std::shared_ptr<Lobby> lobby) : lobby_(std::move(lobby)) {}

  DoorCard keys() const override { return {}; }
  void send(const std::string& guest, Lobby::Bytes bytes) override {
    if (forgotten_.contains(guest)) return;
    for (const auto& frame : channels_[guest].send(std::move(bytes)))
      lobby_->to_guest(guest, frame);
  }
  bool receive(std::string& guest, Lobby::Bytes& bytes) override {
    if (ears_.beats(lobby_->world_.now()))
      for (const auto& [name, channel] : channels_) lobby_->to_guest(name, channel.beat());
    while (ears_.arrived.empty()) {
      if (lobby_->at_door_.empty()) return false;
      const auto [name, frame] = std::move(lobby_->at_door_.front());
      lobby_->at_door_.pop_front();
      if (forgotten_.contains(name)) continue;
      std::vector<Lobby::Bytes> messages, out;
      channels_[name].receive(frame, messages, out);
      for (auto& message : messages) ears_.arrived.emplace_back(name, std::move(message));
      for (const auto& one : out) lobby_->to_guest(name, one);
    }
    guest = std::move(ears_.arrived.front().first);
    bytes = std::move(ears_.arrived.front().second);
    ears_.arrived.pop_front();
    return true;
  }
  void forget(const std::string& guest) override {
    channels_.erase(guest);
    forgotten_.insert(guest);
  }

 private:
  std::shared_ptr<Lobby> lobby_;
  std::map<std::string, Channel> channels_;
  std::set<std::string> forgotten_;
  Ears ears_;
};

class GuestLink : public Link {
 public:
  GuestLink(std::shared_ptr<Lobby> lobby, std::string name)
      : lobby_(std::move(lobby)), name_(std::move(name)) {}

  int rank() const override { return 1; }
  int size() const override { return 2; }
  LocalShare local_share(std::uint64_t) override { return {}; }
  void send(int, Lobby::Bytes bytes) override {
    for (const auto& frame : channel_.send(std::move(bytes))) lobby_->to_door(name_, frame);
  }
  bool receive(int& rank, Lobby::Bytes& bytes) override {
    if (ears_.beats(lobby_->world_.now())) lobby_->to_door(name_, channel_.beat());
    auto& frames = lobby_->guests_[name_].frames;
    while (ears_.arrived.empty()) {
      if (frames.empty()) return false;
      const Lobby::Bytes frame = std::move(frames.front());
      frames.pop_front();
      std::vector<Lobby::Bytes> messages, out;
      channel_.receive(frame, messages, out);
      for (auto& message : messages) ears_.arrived.emplace_back("", std::move(message));
      for (const auto& one : out) lobby_->to_door(name_, one);
    }
    rank = 0;
    bytes = std::move(ears_.arrived.front().second);
    ears_.arrived.pop_front();
    return true;
  }
  void forget(int) override {}
  void finish() override {}

 private:
  std::shared_ptr<Lobby> lobby_;
  std::string name_;
  Channel channel_;
  Ears ears_;
};

std::unique_ptr<Door> Lobby::door(std::function<void()> arrived) {
  door_arrived_ = std::move(arrived);
  return std::make_unique<SimulatedDoor>(shared_from_this());
}

std::unique_ptr<Link> Lobby::guest(const std::string& name, std::function<void()> arrived) {
  guests_[name].arrived = std::move(arrived);
  return std::make_unique<GuestLink>(shared_from_this(), name);
}

Time Lobby::arrival(Time& last) {
  return last = std::max(last, world_.now() + duration(world_.random().between(0.0001, 0.004)));
}

// A frame that meets a broken connection at either end of its way is lost.
void Lobby::to_guest(const std::string& name, Bytes frame) {
  const auto guest = guests_.find(name);
  if (guest == guests_.end() || world_.now() < broken_until_) return;
  world_.at(arrival(guest->second.last),
            [self = shared_from_this(), name, frame = std::move(frame)]() mutable {
              const auto there = self->guests_.find(name);
              if (there == self->guests_.end() || self->world_.now() < self->broken_until_) return;
              there->second.frames.push_back(std::move(frame));
              if (there->second.arrived) there->second.arrived();
            });
}

void Lobby::to_door(const std::string& name, Bytes frame) {
  if (world_.now() < broken_until_) return;
  world_.at(arrival(guests_[name].last_to_door),
            [self = shared_from_this(), name, frame = std::move(frame)]() mutable {
              if (!self->door_arrived_ || self->world_.now() < self->broken_until_) return;
              self->at_door_.emplace_back(name, std::move(frame));
              self->door_arrived_();
            });
}

}  // namespace windrow::simulation
