// Agents that join a run from outside of its launcher's world, and leave it: over ZeroMQ, encrypted
// and authenticated by keys that stand in a file which only the user can read. Loaded at run time
// like the MPI library: windrow itself needs none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/transport/link.h"

namespace windrow {

// Where and how to join; see control/door_file.h.
struct DoorCard {
  std::string host;
  std::vector<std::string> addresses;  // of the host, numeric
  int port = 0;
  std::string server_key;                 // public
  std::string client_key, client_secret;  // of all who may join
  std::string folder;                     // the run's working folder
  friend bool operator==(const DoorCard&, const DoorCard&) = default;
};

// The run's side. Messages of each guest arrive in the order in which they were sent, each once,
// also where its connection breaks for a while.
class Door {
 public:
  virtual ~Door() = default;
  virtual DoorCard keys() const = 0;  // and the port, without host, addresses and folder
  virtual void send(const std::string& guest, std::vector<std::uint8_t> bytes) = 0;
  // Never waits; false: nothing has come.
  virtual bool receive(std::string& guest, std::vector<std::uint8_t>& bytes) = 0;
  virtual void forget(const std::string& guest) = 0;
};

// `port` 0: any that is free. Throw std::runtime_error: libzmq is not installed; the port is taken.
std::unique_ptr<Door> open_door(int port);
// The guest's side: rank 1 of 2; rank 0 is the run.
std::unique_ptr<Link> join_door(const DoorCard& card, const std::string& address);

// Of this host, numeric, without those of the loopback interface, which come last.
std::vector<std::string> own_addresses();
// The first at which somebody listens; "" = none.
std::string reachable_address(const DoorCard& card, double seconds_each);

}  // namespace windrow
