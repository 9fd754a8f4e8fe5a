// Other programs (curl, tar, md5sum, mpirun) that a command runs to their end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace windrow {

// The folder that this program's file is in.
std::filesystem::path program_folder();

// Where PATH has it, an executable file; nullopt: nowhere.
std::optional<std::filesystem::path> find_program(const std::string& name);

struct ProgramResult {
  int exit_code = 0;   // 128 + the signal's number where one ended it
  std::string output;  // its stdout
};

// Runs argv[0], looked up in PATH, in `folder` (empty: this process's), and waits for its end. It
// shares this process's stdin and stderr. Throws std::runtime_error where it can't be started; the
// message ends in `remedy`.
ProgramResult run_program(const std::vector<std::string>& argv, const std::string& remedy,
                          const std::filesystem::path& folder = {});

}  // namespace windrow
