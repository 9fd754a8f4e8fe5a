// The links of a run's ranks: messages take their time, arrive in the order in which they were
// sent, wait where the two are cut off from each other, and are lost where the receiver is dead.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "orchestrator/transport/link.h"
#include "tests/simulation/world.h"

namespace windrow::simulation {

class Network : public std::enable_shared_from_this<Network> {
 public:
  Network(World& world, int ranks);

  // `arrived` is called for each message that comes to the rank.
  std::unique_ptr<Link> link(int rank, std::function<void()> arrived);

  void kill(int rank);               // nothing reaches it any more
  void cut_off(int rank, bool cut);  // from all others
  void slow_down(double seconds) { delay_ = seconds; }

 private:
  friend class SimulatedLink;
  using Bytes = std::vector<std::uint8_t>;
  struct Rank {
    std::deque<std::pair<int, Bytes>> inbox;
    std::function<void()> arrived;
    bool dead = false;
    bool cut = false;
  };
  void send(int from, int to, Bytes bytes);
  void arrive(int from, int to, Bytes bytes);

  World& world_;
  double delay_ = 0.001;
  std::vector<Rank> ranks_;
  std::map<std::pair<int, int>, Time> last_;               // arrival planned
  std::map<std::pair<int, int>, std::deque<Bytes>> held_;  // while they are cut off
};

}  // namespace windrow::simulation
