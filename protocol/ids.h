// Strong integer ids. A trial's id is its row in the database; slots and agents are numbered by the
// coordinator from 0 in the order in which they joined.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace windrow {

template <class Tag>
struct Id {
  std::int64_t value = -1;
  friend auto operator<=>(const Id&, const Id&) = default;
};

using TrialId = Id<struct TrialTag>;
using SlotId = Id<struct SlotTag>;
using AgentId = Id<struct AgentTag>;  // equals the MPI rank

}  // namespace windrow

template <class Tag>
struct std::hash<windrow::Id<Tag>> {
  std::size_t operator()(windrow::Id<Tag> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
