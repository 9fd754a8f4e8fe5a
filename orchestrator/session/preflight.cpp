#include "orchestrator/session/preflight.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "orchestrator/process/guard_pool.h"
#include "orchestrator/process/host_facts.h"
#include "sweeps/data/choice_files.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

// "" where what the file's first line names ("#!/usr/bin/env python3") can run it, else why not.
std::string why_not_interpreted(const fs::path& file) {
  std::string line;
  if (std::ifstream stream(file);
      stream.get() != '#' || stream.get() != '!' || !std::getline(stream, line))
    return "";
  std::istringstream words(line);
  std::string interpreter, word;
  words >> interpreter;
  const std::string is_run_by = file.string() + " is run by ";
  if (!fs::exists(interpreter)) return is_run_by + interpreter + ", which does not exist";
  if (fs::path(interpreter).filename() != "env") return "";
  while (words >> word && (word.starts_with('-') || word.find('=') != std::string::npos)) word = "";
  if (word.empty() || word.find('/') != std::string::npos || find_program(word)) return "";
  return is_run_by + word + ", which is not in PATH";
}

// "" where the program can be executed, else why not.
std::string why_not_executable(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (!fs::exists(program)) return program + " does not exist";
    if (access(program.c_str(), X_OK) != 0 || fs::is_directory(program))
      return program + " is not executable";
    return why_not_interpreted(program);
  }
  const auto found = find_program(program);
  return found ? why_not_interpreted(*found) : "\"" + program + "\" is not in PATH";
}

// The script in `python3 train.py`; "" where the command has none that can be told.
std::string script_of(const std::vector<std::string>& command) {
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (command[i].starts_with("-")) continue;
    for (const char* suffix : {".py", ".sh", ".pl", ".R", ".jl", ".rb", ".js", ".lua"})
      if (command[i].ends_with(suffix)) return command[i];
    return "";
  }
  return "";
}

// Of the cells that are known yet, each pair of files and what is asked of it once.
std::vector<std::string> choice_sets_faults(const sweeps::Study& study, const fs::path& data_dir) {
  std::vector<std::string> faults;
  std::set<std::string> seen;
  for (const sweeps::Cell& cell : sweeps::expand(study).cells) {
    sweeps::Json asked;
    for (const char* key : {"train_file", "train_choice_file", "test_file", "test_choice_file",
                            "items", "features", "validation_split"})
      asked[key] = cell.parameters.value(key, sweeps::Json());
    if (!seen.insert(asked.dump()).second) continue;
    std::string fault = sweeps::choice_sets_fault(asked, data_dir);
    if (!fault.empty()) faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace

std::string trainer_program(const std::string& given) {
  if (!given.empty()) return given;
  if (const std::string named = variable("WINDROW_TRAINER"); !named.empty()) return named;
  return program_folder() / "windrow-trainer";
}

std::string data_folder(const std::string& given) {
  if (!given.empty()) return fs::absolute(given);
  if (const std::string named = variable("WINDROW_DATA"); !named.empty())
    return fs::absolute(named);
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return cache + "/windrow";
  return variable("HOME") + "/.cache/windrow";
}

void check_can_write(const fs::path& checkpoints) {
  const fs::path probe = checkpoints / (".windrow-probe-" + std::to_string(getpid()));
  std::error_code error;
  fs::create_directories(checkpoints, error);
  if (!error) {
    std::ofstream file(probe);
    if (!(file << "probe\n" << std::flush)) error.assign(errno, std::generic_category());
  }
  std::error_code ignored;
  fs::remove(probe, ignored);
  if (error)
    throw std::runtime_error("checkpoints can't be written in " + checkpoints.string() + ": " +
                             error.message() + "; name another folder with --checkpoints");
}

std::vector<std::string> cifar10_faults(const fs::path& data_dir) {
  constexpr std::uintmax_t kRecord = 3073;  // a label and 32 x 32 x 3 bytes
  std::vector<std::string> faults;
  fs::path folder = data_dir / "cifar-10-batches-bin";
  if (!fs::exists(folder) && fs::exists(data_dir / "data_batch_1.bin")) folder = data_dir;
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
    const fs::path file = folder / name;
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    if (error)
      faults.push_back(file.string() + ": " + error.message());
    else if (size == 0 || size % kRecord != 0)
      faults.push_back(file.string() + ": has " + std::to_string(size) +
                       " bytes, expected 30730000 (or a multiple of 3073)");
  }
  if (!faults.empty())
    faults.push_back(
        "get the data with `windrow data cifar10`, or name the folder that holds "
        "cifar-10-batches-bin with --data or WINDROW_DATA");
  return faults;
}

std::vector<std::string> preflight_faults(const sweeps::Study& study, const std::string& trainer,
                                          const std::string& data_dir) {
  std::vector<std::string> faults;
  const bool shipped = study.trainer.command.empty();
  const std::string program = shipped ? trainer : study.trainer.command.front();
  if (const std::string why = why_not_executable(program); !why.empty())
    faults.push_back("the trainer can't be started: " + why + "; " +
                     (shipped ? "build it (scripts/setup), or name it with --trainer"
                              : "correct trainer.command in the study file"));
  try {
    find_guard();
    if (study.trainer.gang > 1) find_gang_launcher();
  } catch (const std::system_error& error) {
    faults.emplace_back(error.what());
  }
  if (const std::string script = script_of(study.trainer.command);
      !script.empty() && !fs::exists(script))
    faults.push_back("the trainer's script " + script + " is not in " +
                     fs::current_path().string() +
                     "; start windrow in the folder that the path counts from, or give the whole "
                     "path in trainer.command");
  for (const auto* paths : {&study.trainer.files, &study.trainer.freeze})
    for (const std::string& path : *paths)
      if (!fs::exists(path))
        faults.push_back(std::string(paths == &study.trainer.files ? "files" : "freeze") + ": " +
                         path + " is not in " + fs::current_path().string() +
                         "; correct it under trainer: in the study file, or start windrow in the "
                         "folder that it counts from");
  for (const auto& [key, notice] :
       {std::pair("on_end", &study.on_end), std::pair("on_failure", &study.on_failure)}) {
    if (!*notice) continue;
    const std::string teller = (*notice)->url.empty() ? (*notice)->command.front() : "curl";
    if (const std::string why = why_not_executable(teller); !why.empty())
      faults.push_back(std::string(key) + " can't be told: " + why +
                       ((*notice)->url.empty() ? "; correct it in the study file"
                                               : "; install it, or give a command in its place"));
  }
  if (study.task == "cifar10")
    for (std::string& fault : cifar10_faults(data_dir)) faults.push_back(std::move(fault));
  if (study.task == "choice-sets")
    for (std::string& fault : choice_sets_faults(study, data_dir))
      faults.push_back(std::move(fault));
  return faults;
}

}  // namespace windrow
