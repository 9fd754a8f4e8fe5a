#include "orchestrator/session/run_program.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <set>

#include "orchestrator/coordinator/trial_folder.h"
#include "orchestrator/origin/code_copy.h"
#include "orchestrator/origin/program_watch.h"
#include "orchestrator/results/other_programs.h"
#include "orchestrator/results/planned_trials.h"
#include "orchestrator/session/preflight.h"
#include "protocol/program.h"
#include "storage/reader.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;
using protocol::Program;
using protocol::TrainerSettings;

Program program_of(TrainerSettings trainer, const std::string& shipped_trainer) {
  const bool shipped = trainer.command.empty();
  if (shipped) trainer.command = {shipped_trainer};
  return origin::ProgramWatch(trainer, fs::current_path(), shipped).now();
}

// checkpoints/code/STUDY-N; the highest N is the one that is trained from, 0: there is none.
fs::path copies_of(const fs::path& checkpoints) {
  return checkpoints / "code";
}

int last_copy(const fs::path& checkpoints, const std::string& study) {
  int last = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(copies_of(checkpoints), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(study + "-")) continue;
    int number = 0;
    const char* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + study.size() + 1, end, number);
    if (read.ec == std::errc() && read.ptr == end) last = std::max(last, number);
  }
  return last;
}

std::string copy_place(const fs::path& checkpoints, const std::string& study, int number) {
  return (copies_of(checkpoints) / (study + "-" + std::to_string(number))).string();
}

std::string make_copy(const sweeps::Study& study, const fs::path& checkpoints,
                      const fs::path& database, int number) {
  const std::string place = copy_place(checkpoints, study.name, number);
  fs::create_directories(copies_of(checkpoints));
  std::vector<fs::path> leave_out = {checkpoints.parent_path()};
  const fs::path file = fs::absolute(database);
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".requests", ".status.json"})
    leave_out.emplace_back(file.string() + suffix);
  origin::make_code_copy(study.trainer.freeze, fs::current_path(), place, leave_out);
  return place;
}

enum class Answer { keep, redo, quit };

Answer ask(const std::string& what, const std::function<bool()>& interrupted) {
  std::cerr << "windrow: " << what
            << "\n  keep   they stay, and tables mark them\n"
               "  redo   they are trained anew with the program there is now; their attempts stay "
               "on record\n"
               "  quit   nothing is begun\n"
               "keep, redo or quit? [keep] "
            << std::flush;
  std::string line;
  while (!interrupted()) {
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    if (poll(&waiting, 1, 200) <= 0) continue;
    if (!std::getline(std::cin, line)) return Answer::quit;
    if (line.empty() || line == "keep" || line == "k") return Answer::keep;
    if (line == "redo" || line == "r") return Answer::redo;
    if (line == "quit" || line == "q") return Answer::quit;
    std::cerr << "keep, redo or quit? [keep] " << std::flush;
  }
  return Answer::quit;
}

}  // namespace

Program present_program(const sweeps::Study& study, const std::string& trainer,
                        const fs::path& checkpoints) {
  TrainerSettings settings = study.trainer;
  if (!settings.freeze.empty() && !checkpoints.empty())
    if (const int number = last_copy(checkpoints, study.name))
      settings.code = copy_place(checkpoints, study.name, number);
  return program_of(settings, trainer_program(trainer));
}

void settle_program(
    sweeps::Study& study, const RunOptions& options, const ProgramChoice& choice,
    storage::Store& store, const fs::path& checkpoints,
    const std::function<void(const std::string& level, const std::string& text)>& log) {
  TrainerSettings& trainer = study.trainer;
  const std::string shipped = trainer_program(options.trainer);
  if (!trainer.freeze.empty()) {
    const Program here = program_of(trainer, shipped);
    const int number = last_copy(checkpoints, study.name);
    trainer.code = number > 0 ? copy_place(checkpoints, study.name, number)
                              : make_copy(study, checkpoints, options.database, 1);
    const std::string difference = protocol::difference(program_of(trainer, shipped), here);
    if (!difference.empty() && choice.changed == ProgramChanged::redo)
      trainer.code = make_copy(study, checkpoints, options.database, number + 1);
    else if (!difference.empty())
      log("info", "trains from the copy in " + trainer.code + "; since then: " + difference +
                      " (--program changed=redo trains anew from what is there now)");
  }
  storage::Reader reader(options.database);
  const Program now = program_of(trainer, shipped);
  if (std::ranges::all_of(reader.programs(), [&](const storage::ProgramInfo& program) {
        return program.hash == now.hash;
      }))
    return;
  std::set<std::string> cells;
  for (const sweeps::Cell& cell : plan_study(study, &reader).expansion.cells)
    cells.insert(cell.hash);
  const OtherPrograms others = other_programs(reader, study.name, cells, now);
  if (others.trials.empty()) return;
  const std::string what = describe(others);
  Answer answer = choice.changed == ProgramChanged::redo ? Answer::redo : Answer::keep;
  if (choice.changed == ProgramChanged::ask && choice.may_ask)
    answer = ask(what, choice.interrupted);
  if (answer == Answer::quit)
    throw storage::Interrupted(
        "nothing was begun; --program changed=keep or changed=redo decides "
        "without a question");
  if (answer == Answer::keep) {
    log("warning", what + "; they stay (--program changed=redo trains them anew)");
    return;
  }
  const int taken = redo_trials(store, others.trials, checkpoints);
  log("warning",
      what + "; " + std::to_string(taken) + (taken == 1 ? " is" : " are") + " trained anew");
}

int redo_trials(storage::Store& store, const std::vector<TrialId>& trials,
                const fs::path& checkpoints) {
  const int taken = store.redo(trials);
  const std::set<TrialId> wanted(trials.begin(), trials.end());
  std::error_code error;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(checkpoints, error)) {
    const auto folder = trial_of_folder(entry.path().filename().string());
    if (folder && wanted.contains(folder->trial)) folders.push_back(entry.path());
  }
  for (const fs::path& folder : folders)
    if (fs::is_directory(folder, error)) fs::remove_all(folder, error);
  return taken;
}

}  // namespace windrow
