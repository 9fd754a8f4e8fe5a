// A stream of messages, in order and each once, over frames of which some may be lost when a
// connection breaks and is made again. Pure: frames in, frames out; who has a wire moves them.
//
// Each frame carries its number and the number of the last one received, so that frames are kept
// until the other side has them. A gap is answered by the number that is missing, and what was sent
// from there on is sent again. A frame without content shows, after a while, what got lost last.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace windrow {

class Channel {
 public:
  using Bytes = std::vector<std::uint8_t>;

  // What is to be put on the wire now, in this order.
  std::vector<Bytes> send(Bytes message);

  // A frame has come: the messages that are to be delivered, and the frames to put on the wire.
  // False: it is no frame of a channel.
  bool receive(std::span<const std::uint8_t> frame, std::vector<Bytes>& messages,
               std::vector<Bytes>& out);

  // To be sent from time to time, where there was nothing else to send.
  Bytes beat() const;

  std::size_t unconfirmed() const { return kept_.size(); }

 private:
  Bytes frame(std::uint8_t kind, std::uint64_t number, const Bytes& message) const;

  std::uint64_t sent_ = 0;       // the last number
  std::uint64_t received_ = 0;   // in order
  std::uint64_t asked_for_ = 0;  // the missing number asked for last
  std::deque<Bytes> kept_;       // messages sent_ - kept_.size() + 1 .. sent_
};

}  // namespace windrow
