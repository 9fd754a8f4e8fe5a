#include "orchestrator/commands/ask_run.h"

#include <iostream>

#include "orchestrator/commands/commands.h"
#include "storage/reader.h"

namespace windrow::commands {
namespace {

// A file system that hosts share may show a new file only after half a minute.
constexpr std::chrono::seconds kLimit{90};

}  // namespace

std::string no_run_fault(const std::string& database) {
  const auto who = storage::Reader(database).coordinator();
  if (!who) return "no run works on " + database + " now";
  if (who->alive) return "";
  return "the run that worked on " + database + " (pid " + std::to_string(who->pid) +
         ") was killed: none works on it now";
}

int ask_run(const std::string& database, const control::Request& request) {
  const auto waiting = [&] {
    std::cerr << "windrow: waiting for the run's answer (a shared file system may take half a "
                 "minute)\n";
  };
  const auto answer = control::ask(control::requests_folder(database), request, kLimit, waiting);
  if (answer) {
    std::cout << *answer << "\n";
    return kAllDone;
  }
  std::cerr << "windrow: no answer within " << kLimit.count()
            << " s: the run hangs, has ended, or can't see this folder; `windrow status` says when "
               "it was last heard of\n";
  return kSomeFailed;
}

}  // namespace windrow::commands
