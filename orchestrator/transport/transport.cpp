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

Transport::Delivered Transport::deliver(
    const std::function<void(protocol::ToAgent)>& to_agent,
    const std::function<void(AgentId, protocol::FromAgent)>& to_coordinator) {
  // Bounded, so that a flood does not keep the loop from the trainers' pipes, signals and time.
  constexpr int kMost = 256;
  int delivered = 0;
  bool drained = true;
  if (link_) {
    int from = 0;
    std::vector<std::uint8_t> bytes;
    for (; delivered < kMost && link_->receive(from, bytes); ++delivered) {
      if (rank() == 0)
        to_coordinator(AgentId{from}, protocol::decode_from_agent(bytes));
      else
        to_agent(protocol::decode_to_agent(bytes));
    }
  }
  drained = delivered < kMost;
  for (int own = 0; own < kMost && has_own_mail(); ++own) {
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
  return {delivered, drained && !has_own_mail()};
}

}  // namespace windrow
