// Messages between the coordinator and the agents: within the process for rank 0's own agent, over
// a link for the other ranks, through a door for guests, who are numbered after the ranks. In order
// for each pair, each at most once.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "orchestrator/transport/door.h"
#include "orchestrator/transport/link.h"
#include "protocol/messages.h"

namespace windrow {

class Transport {
 public:
  explicit Transport(std::unique_ptr<Link> link = nullptr) : link_(std::move(link)) {}

  int rank() const { return link_ ? link_->rank() : 0; }
  int size() const { return link_ ? link_->size() : 1; }
  Link::LocalShare local_share(std::uint64_t value) {
    return link_ ? link_->local_share(value) : Link::LocalShare{};
  }

  // Of rank 0: from now on guests may join.
  void open(std::unique_ptr<Door> door) { door_ = std::move(door); }

  void send_to_agent(AgentId agent, protocol::ToAgent message);
  void send_to_coordinator(protocol::FromAgent message);

  struct Delivered {
    int messages = 0;
    bool drained = true;  // nothing that has arrived is left
  };
  // Delivers what has arrived, and what the handlers' own sends within this process add to it; a
  // bounded number. A message that can't be decoded is a ProtocolError.
  Delivered deliver(const std::function<void(protocol::ToAgent)>& to_agent,
                    const std::function<void(AgentId, protocol::FromAgent)>& to_coordinator);

  // Whether messages come from elsewhere, for which there is no descriptor to wait for.
  bool polls() const { return size() > 1 || door_; }

  // Whether something sent within this process waits for deliver().
  bool has_own_mail() const { return !own_to_agent_.empty() || !own_to_coordinator_.empty(); }

  // The agent is dead, or so silent that it counts as dead: nothing more is sent to it and, of a
  // rank, the link can't be ended in good order.
  void lose(int agent);

  // The end of the link, after the last message. Rank 0 tells the others whether all live; only
  // then the link can be ended, which waits for everybody. False: it was not, and this process must
  // leave by _exit. The others wait for rank 0's word at most so long.
  bool finish(std::chrono::milliseconds limit = std::chrono::seconds(10));

 private:
  bool receive(int& from, std::vector<std::uint8_t>& bytes);
  void tell_the_end();

  int deliver_from_guests(int most,
                          const std::function<void(AgentId, protocol::FromAgent)>& to_coordinator);

  std::unique_ptr<Link> link_;
  std::unique_ptr<Door> door_;
  std::vector<std::string> guests_;  // by agent, the first after the ranks
  std::unordered_map<std::string, AgentId> guest_ids_;
  std::set<int> lost_;
  std::optional<bool> all_live_;  // rank 0's word
  std::deque<protocol::ToAgent> own_to_agent_;
  std::deque<protocol::FromAgent> own_to_coordinator_;
};

}  // namespace windrow
