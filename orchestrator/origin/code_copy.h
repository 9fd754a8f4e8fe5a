// `trainer: {freeze: [...]}`: folders that are trained from a copy, so that the program can be
// edited while a study runs.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace windrow::origin {

struct CodeCopy {
  std::vector<std::string> freeze;  // folders, below `folder` or itself
  std::string code;                 // where their copy is; "" = there is none
  std::filesystem::path folder;     // where the command starts

  // Words that name something below a frozen folder (also after `=`) name it in the copy.
  std::vector<std::string> words(const std::vector<std::string>& command) const;
  // The file that one of the copy was made of; any other is itself.
  std::filesystem::path original(const std::filesystem::path& file) const;
  // WINDROW_CODE, and PYTHONPATH where that names something frozen.
  std::vector<std::pair<std::string, std::string>> environment() const;

 private:
  std::filesystem::path in_copy(const std::filesystem::path& path) const;  // "" = not frozen
};

// Copies the folders to `into`, which must not exist; it is there whole or not at all. What is
// hidden, made by Python or an environment of its own, and files of `leave_out` and below, are not
// copied. Throws std::runtime_error.
void make_code_copy(const std::vector<std::string>& freeze, const std::filesystem::path& folder,
                    const std::filesystem::path& into,
                    const std::vector<std::filesystem::path>& leave_out);

}  // namespace windrow::origin
