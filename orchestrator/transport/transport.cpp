#include "orchestrator/transport/transport.h"

#include "protocol/wire.h"

namespace windrow {

void Transport::send_to_agent(AgentId agent, protocol::ToAgent message) {
  if (agent.value == 0)
    own_to_agent_.push_back(std::move(message));
  else
    link_->send(static_cast<int>(agent.value), protocol::encode(message));
}

void Transport::send_to_coordinator(protocol::FromAgent message) {
  if (rank() == 0)
    own_to_coordinator_.push_back(std::move(message));
  else
    link_->send(0, protocol::encode(message));
}

int Transport::deliver(const std::function<void(protocol::ToAgent)>& to_agent,
                       const std::function<void(AgentId, protocol::FromAgent)>& to_coordinator) {
  int delivered = 0;
  if (link_) {
    int from = 0;
    std::vector<std::uint8_t> bytes;
    // Bounded, so that a flood does not keep the loop from the trainers' pipes.
    for (; delivered < 256 && link_->receive(from, bytes); ++delivered) {
      if (rank() == 0)
        to_coordinator(AgentId{from}, protocol::decode_from_agent(bytes));
      else
        to_agent(protocol::decode_to_agent(bytes));
    }
  }
  while (!own_to_agent_.empty() || !own_to_coordinator_.empty()) {
    ++delivered;
    if (!own_to_coordinator_.empty()) {
      protocol::FromAgent message = std::move(own_to_coordinator_.front());
      own_to_coordinator_.pop_front();
      to_coordinator(AgentId{0}, std::move(message));
    } else {
      protocol::ToAgent message = std::move(own_to_agent_.front());
      own_to_agent_.pop_front();
      to_agent(std::move(message));
    }
  }
  return delivered;
}

}  // namespace windrow
