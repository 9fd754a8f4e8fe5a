// windrow logs: what a trial's trainers wrote.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "orchestrator/agent/trial_log.h"
#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "storage/reader.h"

namespace windrow::commands {
namespace {

namespace fs = std::filesystem;

struct LogsOptions {
  std::int64_t trial = 0;
  std::string database = "windrow.db";
  std::size_t lines = 0;  // the last ones; 0: all
  bool follow = false;
};

std::string last_lines(const std::string& text, std::size_t lines) {
  std::size_t begin = text.size();
  for (std::size_t seen = 0; lines > 0 && begin > 0; --begin)
    if (text[begin - 1] == '\n' && begin < text.size() && ++seen == lines) break;
  return lines == 0 ? text : text.substr(begin);
}

bool is_over(const std::string& database, std::int64_t trial) {
  storage::Reader reader(database);
  const auto row = reader.query("SELECT state FROM trials WHERE trial = " + std::to_string(trial));
  const auto& state = std::get<std::string>(row.rows.at(0).at(0));
  const auto who = reader.coordinator();
  return state == "finished" || state == "failed" || !who || !who->alive;
}

// The part of the file after `at`; a file that was begun anew is read from its beginning.
std::string further(const fs::path& file, std::uintmax_t& at) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) return "";
  if (size < at) at = 0;
  if (size == at) return "";
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(at));
  std::ostringstream text;
  text << in.rdbuf();
  at += text.str().size();
  return text.str();
}

int wrote_nothing(const LogsOptions& options, const std::string& where) {
  std::cerr << "windrow: trial " << options.trial << " wrote nothing that is kept" << where << "\n";
  return kSomeFailed;
}

int logs(const LogsOptions& options) {
  std::string folder;
  {
    storage::Reader reader(options.database);
    reader.show(options.trial, 1);  // refuses a number that is no trial's
    folder = reader.checkpoints_of(options.trial);
  }
  if (folder.empty()) return wrote_nothing(options, "");
  const fs::path file = trial_log_file(folder, TrialId{options.trial});
  std::uintmax_t begin = 0, at = 0;
  const std::string old = further(file.string() + ".1", begin), now = further(file, at);
  std::cout << last_lines(old + now, options.lines) << std::flush;
  if (!options.follow)
    return old.empty() && now.empty() ? wrote_nothing(options, " (" + file.string() + ")")
                                      : kAllDone;
  for (bool over = false; !over;) {
    over = is_over(options.database, options.trial);
    if (!over) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::cout << further(file, at) << std::flush;
  }
  return kAllDone;
}

}  // namespace

void add_logs(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LogsOptions>();
  CLI::App* command =
      app.add_subcommand("logs", "What a trial's trainers wrote, attempt by attempt");
  command->add_option("trial", options->trial, "its number, as in the view `trials`")->required();
  command->add_flag("-f,--follow", options->follow, "go on until the trial is over");
  command->add_option("-n,--lines", options->lines, "only the last ones");
  add_database_option(*command, options->database);
  command->footer(
      "Stdout and stderr of a program a trial; of a trainer that serves many, stderr and the log\n"
      "lines it sends. The last 4 to 8 MB of each trial are kept, in the folder `logs` among the\n"
      "checkpoints.\n\n"
      "Examples:\n"
      "  windrow logs 12\n"
      "  windrow logs 12 -f -n 20");
  command->callback([options, &exit_code] { exit_code = logs(*options); });
}

}  // namespace windrow::commands
