// Messages between coordinator and agents.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "protocol/lines.h"
#include "protocol/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace windrow::protocol;
  const std::span<const std::uint8_t> bytes(data, size);
  try {
    (void)encode(decode_to_agent(bytes));
  } catch (const ProtocolError&) {
  }
  try {
    (void)encode(decode_from_agent(bytes));
  } catch (const ProtocolError&) {
  }
  return 0;
}
