// Times as the database stores them: milliseconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <string>

namespace windrow::storage {

std::int64_t now_ms();
std::string iso_time(std::int64_t ms);  // "2026-01-01T10:00:00Z"

}  // namespace windrow::storage
