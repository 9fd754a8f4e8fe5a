// Binary JSON (CBOR, RFC 8949) between coordinator and agents.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "protocol/messages.h"

namespace windrow::protocol {

std::vector<std::uint8_t> encode(const ToAgent& message);
std::vector<std::uint8_t> encode(const FromAgent& message);

// Throw ProtocolError (lines.h) on anything that encode() would not have written.
ToAgent decode_to_agent(std::span<const std::uint8_t> bytes);
FromAgent decode_from_agent(std::span<const std::uint8_t> bytes);

}  // namespace windrow::protocol
