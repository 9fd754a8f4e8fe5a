// One rank's part in `windrow run`: set-up, the loop, the end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/agent/devices.h"
#include "orchestrator/console/console.h"
#include "orchestrator/scheduler/scheduler.h"
#include "sweeps/study.h"

namespace windrow {

// What becomes of results that another program made than the one there is.
enum class ProgramChanged {
  ask,   // whoever is at the terminal; without one: keep
  keep,  // they stay, with a warning
  redo,  // their trials are taken back and trained anew
};

struct RunOptions {
  std::filesystem::path study_file;  // empty: resume `study_name` from the database
  std::string study_name;            // for resume; "" = the only one there
  std::vector<sweeps::Override> overrides;
  std::filesystem::path database = "windrow.db";
  std::string data_dir;
  std::string checkpoints;  // "" = beside the database
  std::string trainer;      // "" = windrow-trainer beside this program
  SlotWishes slots;
  double lost_seconds = 30;
  std::optional<double> hang_seconds;  // nullopt: the study's, else the shipped tasks' own
  double stop_within_seconds = 0;      // 0: no limit
  scheduler::Order order = scheduler::Order::longest;
  scheduler::GangPolicy gangs;  // how many slots train a trial together
  std::optional<int> serve;     // the port at which workers may join; 0: any that is free
  ProgramChanged program_changed = ProgramChanged::ask;
  std::string page;             // the report's file, kept up to date; "" = none
  int stop_after_failures = 0;  // trials that failed for good; 0: never
  std::string until;            // a time, see time_limit.h; "": the batch system's end
  Console::Verbosity verbosity = Console::Verbosity::normal;
  bool smoke = false;  // only try what the study will train; the database isn't touched
  bool json = false;   // the end's summary as JSON on stdout
};

// Returns the exit code; does not return where ranks have died and MPI can't end in good order.
int run_session(const RunOptions& options);

}  // namespace windrow
