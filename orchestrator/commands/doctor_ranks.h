// What the ranks of a launcher see of their hosts, and what is odd about it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "orchestrator/commands/doctor_checks.h"

namespace windrow::commands {

struct RankFacts {
  int rank = 0;
  std::string host, node, version;
  std::string mpi;  // kind of library
  std::vector<int> cores;
  std::vector<std::string> boards;  // GPUs by UUID or number
  bool gpus_are_own = false;
  int ranks_on_gpus = 1;  // of this host that see the same
  int slots = 0;
  std::string slots_text, fault;  // why it gets none
};

nlohmann::json to_json(const RankFacts& facts);
// What another rank sends, CBOR of the above; what can't be read is a fault of that rank.
RankFacts rank_facts_of(int rank, const std::vector<std::uint8_t>& answer);

// A line a rank, then what is wrong between them.
Findings judge_ranks(const std::vector<RankFacts>& ranks, int expected);

// Of a rank that a launcher started: rank 0 gets the findings of all ranks, the others none. Starts
// MPI, so a process can ask only once.
struct RankFindings {
  int rank = 0;
  Findings findings;
};
RankFindings check_ranks();

}  // namespace windrow::commands
