#include "orchestrator/transport/transport.h"

#include <thread>

#include "protocol/wire.h"

namespace windrow {
namespace {

// The frame by which rank 0 ends a link: one byte, which no message is.
std::vector<std::uint8_t> end_frame(bool all_live) {
  return {static_cast<std::uint8_t>(all_live)};
}

}  // namespace

void Transport::send_to_agent(AgentId agent, protocol::ToAgent message) {
  if (agent.value == 0)
    own_to_agent_.push_back(std::move(message));
  else if (agent.value >= size())
    door_->send(guests_[static_cast<std::size_t>(agent.value - size())], protocol::encode(message));
  else if (!lost_.contains(static_cast<int>(agent.value)))
    link_->send(static_cast<int>(agent.value), protocol::encode(message));
}

void Transport::send_to_coordinator(protocol::FromAgent message) {
  if (rank() == 0)
    own_to_coordinator_.push_back(std::move(message));
  else if (!lost_.contains(0))
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
    for (; delivered < kMost && receive(from, bytes); ++delivered) {
      if (rank() == 0)
        to_coordinator(AgentId{from}, protocol::decode_from_agent(bytes));
      else
        to_agent(protocol::decode_to_agent(bytes));
    }
  }
  if (door_) delivered += deliver_from_guests(kMost - delivered, to_coordinator);
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

// Who is no agent of ours yet must begin with a hello. What can't be read is of another version, or
// of nobody we know: the guest hears nothing more, and gives up.
int Transport::deliver_from_guests(
    int most, const std::function<void(AgentId, protocol::FromAgent)>& to_coordinator) {
  int delivered = 0;
  std::string guest;
  std::vector<std::uint8_t> bytes;
  for (; delivered < most && door_->receive(guest, bytes); ++delivered) {
    std::optional<protocol::FromAgent> message;
    try {
      message = protocol::decode_from_agent(bytes);
    } catch (const std::exception&) {  // ProtocolError, or the library's for what is no CBOR
    }
    auto found = guest_ids_.find(guest);
    if (found == guest_ids_.end() && message && std::holds_alternative<protocol::Hello>(*message)) {
      const AgentId next{size() + static_cast<std::int64_t>(guests_.size())};
      found = guest_ids_.emplace(guest, next).first;
      guests_.push_back(guest);
    }
    if (message && found != guest_ids_.end())
      to_coordinator(found->second, std::move(*message));
    else
      door_->forget(guest);
  }
  return delivered;
}

bool Transport::receive(int& from, std::vector<std::uint8_t>& bytes) {
  while (link_->receive(from, bytes)) {
    if (bytes.size() > 1) return true;
    if (from == 0 && !bytes.empty()) all_live_ = bytes[0] != 0;
  }
  return false;
}

void Transport::lose(int rank) {
  if (rank >= size()) return door_->forget(guests_[static_cast<std::size_t>(rank - size())]);
  if (!link_ || !lost_.insert(rank).second) return;
  link_->forget(rank);
}

void Transport::tell_the_end() {
  all_live_ = lost_.empty();
  for (int rank = 1; rank < size(); ++rank)
    if (!lost_.contains(rank)) link_->send(rank, end_frame(*all_live_));
}

bool Transport::finish(std::chrono::milliseconds limit) {
  if (!link_) return true;
  if (rank() == 0) tell_the_end();
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!all_live_ && lost_.empty() && std::chrono::steady_clock::now() < end) {
    int from = 0;
    std::vector<std::uint8_t> late;
    if (!receive(from, late)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!all_live_.value_or(false)) return false;
  link_->finish();
  return true;
}

}  // namespace windrow
