#include "worker/checkpoint/trial_hash.h"

#include "protocol/hash.h"
#include "protocol/lines.h"
#include "sweeps/tasks/task_schema.h"
#include "worker/parameters.h"

namespace windrow::worker {
namespace {

std::string hash_of(const protocol::Start& start, const protocol::Json& parameters,
                    const std::string& data_hash) {
  protocol::Json identity{{"task", start.task}, {"parameters", parameters}, {"seed", start.seed}};
  if (start.early_stopping) identity["early_stopping"] = protocol::to_json(*start.early_stopping);
  if (!data_hash.empty()) identity["data"] = data_hash;
  return protocol::content_hash(identity.dump());
}

}  // namespace

std::string trial_hash(const protocol::Start& start, const std::string& data_hash) {
  protocol::Json parameters = sweeps::identity_parameters(
      *sweeps::find_task(start.task), Parameters(start.task, start.parameters).json());
  parameters.erase("epochs");
  return hash_of(start, parameters, data_hash);
}

std::vector<std::string> earlier_trial_hashes(const protocol::Start& start,
                                              const std::string& data_hash) {
  protocol::Json parameters = start.parameters;
  // What tasks have got since, at the values that were all there was.
  const protocol::Json later{
      {"initialization", "own"}, {"batch_norm_momentum", 0.1}, {"batch_norm_epsilon", 1e-5}};
  for (const auto& [name, value] : later.items())
    if (parameters.value(name, value) == value) parameters.erase(name);
  const std::string with_epochs = hash_of(start, parameters, data_hash);
  parameters.erase("epochs");
  return {hash_of(start, parameters, data_hash), with_epochs};
}

}  // namespace windrow::worker
