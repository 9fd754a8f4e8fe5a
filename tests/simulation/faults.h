// What befalls a simulated world.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/scene.h"

namespace windrow::simulation {

struct FaultKind {
  std::string name;
  // May find nothing to befall; where it does, it tells the world by this name.
  void (*happens)(Scene& scene, const std::string& kind);
  // Where a machine breaks for a time, it takes the others to see that it is the machine.
  bool hides_the_broken = false, breaks = false;
};

// Of a session; what befalls trials is their experiment's, see Trouble.
const std::vector<FaultKind>& session_faults();

// A worker joins the session; where it is lost and may come again, it does.
void let_in(Scene& scene, const std::string& kind);

void end_faults(Scene& scene);

}  // namespace windrow::simulation
