// The rank of a run that a trainer belongs to, found among its ancestors.
#pragma once

#include <sys/types.h>

#include <optional>

namespace windrow::drill {

struct RankProcess {
  pid_t pid = 0;
  int rank = 0;  // by what the launcher told it; without one: 0
};

// The nearest ancestor that runs this process's own program; nullopt: there is none.
std::optional<RankProcess> own_rank();

}  // namespace windrow::drill
