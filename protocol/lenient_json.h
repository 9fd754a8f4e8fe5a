// JSON as programs print it. Internal to protocol/.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace windrow::protocol {

inline constexpr int kDeepestJson = 64;  // levels of lists and objects

struct LenientJsonFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Whether lists and objects lie deeper in one another than kDeepestJson. Reads brackets alone.
bool is_too_deep(std::string_view text);

// The value that `text` begins with, and nothing but blanks, a comma or a semicolon behind it.
// Beyond JSON it reads what C, R, MATLAB and Python print: nan, -nan, nan(ind), inf, Infinity,
// 1e999, 1.#IND and NA as null; None, True and False; numbers as .5, 1. and +1; 'single quotes';
// a comma before a closing bracket; a number in a call, as in np.float64(0.5) or tensor(0.5).
// Throws LenientJsonFault, which says what is wrong.
nlohmann::json read_lenient_json(std::string_view text);

}  // namespace windrow::protocol
