#include "orchestrator/transport/channel.h"

#include <algorithm>

namespace windrow {
namespace {

// Of a frame: its kind, a number, the number received last; then the message.
enum Kind : std::uint8_t {
  kMessage = 1,  // the number is the message's
  kBeat = 2,     // of the last message sent
  kMissing = 3,  // of the message that is missing
};
constexpr std::size_t kHead = 1 + 2 * sizeof(std::uint64_t);

void put(Channel::Bytes& bytes, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8)
    bytes.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::uint64_t number_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (int i = 7; i >= 0; --i) number = number << 8 | bytes[at + static_cast<std::size_t>(i)];
  return number;
}

}  // namespace

Channel::Bytes Channel::frame(std::uint8_t kind, std::uint64_t number, const Bytes& message) const {
  Bytes bytes;
  bytes.reserve(kHead + message.size());
  bytes.push_back(kind);
  put(bytes, number);
  put(bytes, received_);
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

std::vector<Channel::Bytes> Channel::send(Bytes message) {
  kept_.push_back(std::move(message));
  return {frame(kMessage, ++sent_, kept_.back())};
}

Channel::Bytes Channel::beat() const {
  return frame(kBeat, sent_, {});
}

bool Channel::receive(std::span<const std::uint8_t> bytes, std::vector<Bytes>& messages,
                      std::vector<Bytes>& out) {
  if (bytes.size() < kHead || bytes[0] < kMessage || bytes[0] > kMissing) return false;
  const std::uint64_t number = number_at(bytes, 1), confirmed = number_at(bytes, 9);
  if (confirmed > sent_) return false;
  while (sent_ - kept_.size() < confirmed) kept_.pop_front();
  std::uint64_t missing = 0;
  if (bytes[0] == kMissing) {
    for (std::uint64_t again = std::max(number, sent_ - kept_.size() + 1); again <= sent_; ++again)
      out.push_back(frame(kMessage, again, kept_[again - (sent_ - kept_.size()) - 1]));
  } else if (bytes[0] == kMessage && number == received_ + 1) {
    ++received_;
    asked_for_ = 0;
    messages.emplace_back(bytes.begin() + kHead, bytes.end());
  } else if (number > received_) {
    missing = received_ + 1;
  }
  // Not for each frame after the gap: a beat shows it again where the answer too was lost.
  if (missing > 0 && (bytes[0] == kBeat || asked_for_ != missing)) {
    asked_for_ = missing;
    out.push_back(frame(kMissing, missing, {}));
  }
  return true;
}

}  // namespace windrow
