// What a cluster wants to be told of every job: ~/.config/windrow/clusters.yaml.
//
//   clusters:
//     alps:
//       hosts: [alps-ln*, login.alps.example]   # of the login nodes: patterns of the shell
//       partition: gpu
//       account: project_123
//       qos: normal
//       constraint: a100
//       nodes: 2
//       gpus_per_node: 4
//       gres: gpu:a100:4
//       cpus_per_task: 16
//       time: "12:00:00"
//       launcher: mpirun
//       mpi: pmix
//       container: /apps/windrow.sif
//       modules: [gcc/12, cuda/13]
//       prologue: [ulimit -n 65536]             # lines of the job's script before windrow
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace windrow::sweeps {

struct ClusterProfile {
  std::string name;
  std::vector<std::string> hosts;
  std::string partition, account, qos, constraint, gres, time, launcher, mpi, container;
  int nodes = 0, gpus_per_node = 0, cpus_per_task = 0;  // 0: not said
  std::vector<std::string> modules, prologue;
};

// Throws StudyError with a line for each fault ("FILE:LINE:COLUMN: key: ...").
std::vector<ClusterProfile> parse_clusters(const std::string& text, const std::string& name);

// The one so named, or, where no name is given, the first one of whose hosts' patterns `host`
// fits; nullptr: none.
const ClusterProfile* choose_cluster(const std::vector<ClusterProfile>& profiles,
                                     const std::string& name, const std::string& host);

}  // namespace windrow::sweeps
