// Which program a run trains with, and what becomes of results that another one made.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "orchestrator/session/run_session.h"
#include "storage/store.h"
#include "sweeps/study.h"

namespace windrow {

// The program as it is now in this process's folder, or in the study's copy of it below
// `checkpoints` ("" = no such copy is looked for).
protocol::Program present_program(const sweeps::Study& study, const std::string& trainer,
                                  const std::filesystem::path& checkpoints);

struct ProgramChoice {
  ProgramChanged changed = ProgramChanged::ask;
  bool may_ask = false;               // there is someone at a terminal
  std::function<bool()> interrupted;  // while it asks
};

// Copies what the study freezes, at the first run, and says where the copy is in `study.trainer`.
// Where trials of the study are of another program it says so, asks where that is wanted, and takes
// them back where they are to be trained anew. Throws storage::Interrupted when it is answered to
// begin nothing.
void settle_program(
    sweeps::Study& study, const RunOptions& options, const ProgramChoice& choice,
    storage::Store& store, const std::filesystem::path& checkpoints,
    const std::function<void(const std::string& level, const std::string& text)>& log);

// Takes trials back, and what they have in the folder of checkpoints.
int redo_trials(storage::Store& store, const std::vector<TrialId>& trials,
                const std::filesystem::path& checkpoints);

}  // namespace windrow
