// Text of unknown origin: made valid, cut and quoted.
#pragma once

#include <string>
#include <string_view>

namespace windrow::protocol {

// The first bytes of `text`, at most `limit`, without cutting into a character.
std::string_view cut_utf8(std::string_view text, std::size_t limit);

// For messages: the beginning of a line (200 bytes), valid, without control characters.
std::string quote(std::string_view line);

// Why `name` can't name a metric: it is empty, longer than 200 bytes or has control characters or
// bytes that are no text; "" where it can.
std::string name_fault(std::string_view name);

}  // namespace windrow::protocol
