#include "orchestrator/agent/trial_process.h"

#include "protocol/arguments.h"
#include "protocol/lines.h"

namespace windrow {

void add_trial(ChildCommand& command, const protocol::Start& start, protocol::Arguments arguments,
               bool found_checkpoints) {
  const std::vector<std::string> words = protocol::argument_words(arguments, start.parameters);
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  const int resume = found_checkpoints ? start.committed_epochs : 0;
  const std::pair<std::string, std::string> variables[] = {
      {"WINDROW_PARAMETERS",
       start.parameters.dump(-1, ' ', false, protocol::Json::error_handler_t::replace)},
      {"WINDROW_SEED", std::to_string(start.seed)},
      {"WINDROW_TRIAL", std::to_string(start.trial.value)},
      {"WINDROW_ATTEMPT", std::to_string(start.attempt)},
      {"WINDROW_CHECKPOINT_DIR", start.checkpoint_dir},
      {"WINDROW_RESUME", std::to_string(resume)}};
  command.environment.insert(command.environment.end(), std::begin(variables), std::end(variables));
  if (start.early_stopping)
    command.environment.emplace_back("WINDROW_EARLY_STOPPING",
                                     protocol::to_json(*start.early_stopping).dump());
}

}  // namespace windrow
