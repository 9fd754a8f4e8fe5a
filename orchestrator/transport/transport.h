// Messages between the coordinator and the agents: within the process for rank 0's own agent, over
// a link for the others. In order for each pair, each at most once.
#pragma once

#include <deque>
#include <functional>
#include <memory>

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

  // Whether something sent within this process waits for deliver().
  bool has_own_mail() const { return !own_to_agent_.empty() || !own_to_coordinator_.empty(); }

  void finish(bool everybody_lives) {
    if (link_) link_->finish(everybody_lives);
  }

 private:
  std::unique_ptr<Link> link_;
  std::deque<protocol::ToAgent> own_to_agent_;
  std::deque<protocol::FromAgent> own_to_coordinator_;
};

}  // namespace windrow
