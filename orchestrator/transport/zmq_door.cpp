// The door over ZeroMQ: a ROUTER with CURVE at the run, a DEALER at each guest. ZeroMQ makes broken
// connections again; what was lost meanwhile, the channel sends again.
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "orchestrator/transport/channel.h"
#include "orchestrator/transport/door.h"

namespace windrow {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = Channel::Bytes;

constexpr std::chrono::seconds kBeatInterval{1};

struct KeyPair {
  std::string open, secret;  // Z85
};

KeyPair make_keys() {
  char open[41], secret[41];
  if (zmq_curve_keypair(open, secret) != 0)
    throw std::runtime_error("this libzmq was built without CURVE; one with libsodium is needed");
  return {open, secret};
}

// A connection that is dead without a word is found, and made again.
void keep_alive(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.set(zmq::sockopt::rcvhwm, 0);
  socket.set(zmq::sockopt::heartbeat_ivl, 5000);
  socket.set(zmq::sockopt::heartbeat_timeout, 15000);
}

Bytes bytes_of(const zmq::message_t& message) {
  const auto* data = message.data<std::uint8_t>();
  return {data, data + message.size()};
}

class ZmqDoor final : public Door {
 public:
  explicit ZmqDoor(int port)
      : server_(make_keys()),
        client_(make_keys()),
        gatekeeper_(context_, zmq::socket_type::rep),
        router_(context_, zmq::socket_type::router) {
    gatekeeper_.set(zmq::sockopt::linger, 0);
    gatekeeper_.bind("inproc://zeromq.zap.01");  // where libzmq asks who may come in
    keep_alive(router_);
    router_.set(zmq::sockopt::zap_domain, "windrow");
    router_.set(zmq::sockopt::curve_server, true);
    router_.set(zmq::sockopt::curve_secretkey, server_.secret);
    router_.set(zmq::sockopt::router_handover, true);
    try {
      router_.bind("tcp://*:" + (port == 0 ? "*" : std::to_string(port)));
    } catch (const zmq::error_t& error) {
      throw std::runtime_error("--serve: port " + std::to_string(port) + ": " + error.what());
    }
    const std::string bound = router_.get(zmq::sockopt::last_endpoint);
    port_ = std::stoi(bound.substr(bound.rfind(':') + 1));
  }

  DoorCard keys() const override {
    return {.port = port_,
            .server_key = server_.open,
            .client_key = client_.open,
            .client_secret = client_.secret};
  }

  void send(const std::string& guest, Bytes bytes) override {
    if (forgotten_.contains(guest)) return;
    for (const Bytes& frame : channels_[guest].send(std::move(bytes))) put(guest, frame);
  }

  bool receive(std::string& guest, Bytes& bytes) override {
    let_in();
    beat();
    while (arrived_.empty()) {
      zmq::message_t from, frame;
      if (!router_.recv(from, zmq::recv_flags::dontwait)) return false;
      if (!from.more() || !router_.recv(frame, zmq::recv_flags::dontwait)) continue;
      const std::string name = from.to_string();
      if (forgotten_.contains(name)) continue;
      std::vector<Bytes> messages, out;
      channels_[name].receive(bytes_of(frame), messages, out);
      for (Bytes& message : messages) arrived_.emplace_back(name, std::move(message));
      for (const Bytes& one : out) put(name, one);
    }
    guest = std::move(arrived_.front().first);
    bytes = std::move(arrived_.front().second);
    arrived_.pop_front();
    return true;
  }

  void forget(const std::string& guest) override {
    channels_.erase(guest);
    forgotten_.insert(guest);
  }

 private:
  // To one who is away for a moment it is lost, which the channel mends.
  void put(const std::string& guest, const Bytes& frame) {
    router_.send(zmq::buffer(guest), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
    router_.send(zmq::buffer(frame), zmq::send_flags::dontwait);
  }

  // ZAP, RFC 27: only who has the guests' key.
  void let_in() {
    std::vector<zmq::message_t> asked;
    while (zmq::recv_multipart(gatekeeper_, std::back_inserter(asked), zmq::recv_flags::dontwait)) {
      bool known = false;
      if (asked.size() == 7 && asked[6].size() == 32) {
        char key[41];
        zmq_z85_encode(key, asked[6].data<std::uint8_t>(), 32);
        known = key == client_.open;
      }
      const std::string id = asked.size() > 1 ? asked[1].to_string() : "";
      const std::string answer[] = {"1.0", id, known ? "200" : "400", "", known ? "guest" : "", ""};
      std::vector<zmq::const_buffer> frames;
      for (const std::string& frame : answer) frames.push_back(zmq::buffer(frame));
      zmq::send_multipart(gatekeeper_, frames, zmq::send_flags::dontwait);
      asked.clear();
    }
  }

  void beat() {
    if (Clock::now() - beat_ < kBeatInterval) return;
    beat_ = Clock::now();
    for (const auto& [guest, channel] : channels_) put(guest, channel.beat());
  }

  KeyPair server_, client_;
  zmq::context_t context_{1};
  zmq::socket_t gatekeeper_, router_;
  int port_ = 0;
  std::map<std::string, Channel> channels_;  // by guest
  std::set<std::string> forgotten_;
  std::deque<std::pair<std::string, Bytes>> arrived_;
  Clock::time_point beat_{};
};

class ZmqLink final : public Link {
 public:
  ZmqLink(const DoorCard& card, const std::string& address)
      : dealer_(context_, zmq::socket_type::dealer) {
    std::random_device random;
    std::string name = "windrow-";
    for (int i = 0; i < 4; ++i) name += std::to_string(random()) + "-";
    keep_alive(dealer_);
    dealer_.set(zmq::sockopt::routing_id, name);
    dealer_.set(zmq::sockopt::curve_serverkey, card.server_key);
    dealer_.set(zmq::sockopt::curve_publickey, card.client_key);
    dealer_.set(zmq::sockopt::curve_secretkey, card.client_secret);
    dealer_.set(zmq::sockopt::reconnect_ivl, 200);
    dealer_.set(zmq::sockopt::reconnect_ivl_max, 3000);
    dealer_.connect("tcp://" + address + ":" + std::to_string(card.port));
  }
  // Its last words are on their way.
  ~ZmqLink() override { dealer_.set(zmq::sockopt::linger, 2000); }

  int rank() const override { return 1; }
  int size() const override { return 2; }
  LocalShare local_share(std::uint64_t) override { return {}; }

  void send(int, Bytes bytes) override {
    for (const Bytes& frame : channel_.send(std::move(bytes))) put(frame);
  }

  bool receive(int& rank, Bytes& bytes) override {
    if (Clock::now() - beat_ >= kBeatInterval) {
      beat_ = Clock::now();
      put(channel_.beat());
    }
    while (arrived_.empty()) {
      zmq::message_t frame;
      if (!dealer_.recv(frame, zmq::recv_flags::dontwait)) return false;
      std::vector<Bytes> messages, out;
      channel_.receive(bytes_of(frame), messages, out);
      for (Bytes& message : messages) arrived_.push_back(std::move(message));
      for (const Bytes& one : out) put(one);
    }
    rank = 0;
    bytes = std::move(arrived_.front());
    arrived_.pop_front();
    return true;
  }

  void forget(int) override {}
  void finish() override {}

 private:
  void put(const Bytes& frame) { dealer_.send(zmq::buffer(frame), zmq::send_flags::dontwait); }

  zmq::context_t context_{1};
  zmq::socket_t dealer_;
  Channel channel_;
  std::deque<Bytes> arrived_;
  Clock::time_point beat_{};
};

}  // namespace
}  // namespace windrow

extern "C" windrow::Door* windrow_open_door(int port) {
  return new windrow::ZmqDoor(port);
}
extern "C" windrow::Link* windrow_join_door(const windrow::DoorCard& card,
                                            const std::string& address) {
  return new windrow::ZmqLink(card, address);
}
