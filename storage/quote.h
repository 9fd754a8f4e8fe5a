// Names and texts inside of SQL.
#pragma once

#include <string>
#include <string_view>

namespace windrow::storage {

// An SQL identifier or string literal, quoted.
std::string quote_identifier(std::string_view name);
std::string quote_text(std::string_view text);

}  // namespace windrow::storage
