// "Did you mean": the nearest valid name to one that isn't.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace windrow {

// The names as one text, for messages.
std::string joined(std::span<const std::string> names, std::string_view separator = ", ");

// Edits that make `a` into `b`: insert, delete, replace a character or swap two neighbours (optimal
// string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the fewest edits, the first of equals; "" where even that one shares too
// little with `name` to be meant (more edits than a third of the longer one, but two are always
// granted).
std::string nearest(std::string_view name, std::span<const std::string> candidates);

// A remedy: `did you mean "lr"? It is one of a, b, lr` or, with nothing near, `use one of a, b,
// lr`.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace windrow
