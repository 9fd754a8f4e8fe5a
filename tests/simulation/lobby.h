// The door of a simulated run and the guests that come through it: real channels over connections
// that break, where frames get lost.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/transport/channel.h"
#include "orchestrator/transport/door.h"
#include "tests/simulation/world.h"

namespace windrow::simulation {

class Lobby : public std::enable_shared_from_this<Lobby> {
 public:
  explicit Lobby(World& world) : world_(world) {}

  // `arrived` is called for each frame that comes.
  std::unique_ptr<Door> door(std::function<void()> arrived);
  std::unique_ptr<Link> guest(const std::string& name, std::function<void()> arrived);

  void close() { door_arrived_ = nullptr; }  // the run is dead
  void gone(const std::string& guest) { guests_.erase(guest); }
  void break_connections(double seconds) { broken_until_ = world_.now() + duration(seconds); }

 private:
  friend class SimulatedDoor;
  friend class GuestLink;
  using Bytes = Channel::Bytes;
  struct Guest {
    std::deque<Bytes> frames;
    std::function<void()> arrived;
    Time last{}, last_to_door{};
  };
  void to_guest(const std::string& name, Bytes frame);
  void to_door(const std::string& name, Bytes frame);
  Time arrival(Time& last);

  World& world_;
  Time broken_until_{};
  std::map<std::string, Guest> guests_;
  std::deque<std::pair<std::string, Bytes>> at_door_;
  std::function<void()> door_arrived_;
};

}  // namespace windrow::simulation
