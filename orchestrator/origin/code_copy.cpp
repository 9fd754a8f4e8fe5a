#include "orchestrator/origin/code_copy.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "orchestrator/origin/own_files.h"

namespace windrow::origin {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestCopy = std::uintmax_t{512} << 20;

// Without the slash at the end that `src/` leaves.
fs::path tidy(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

fs::path CodeCopy::in_copy(const fs::path& path) const {
  const fs::path whole = tidy(folder / path);
  for (const std::string& frozen : freeze) {
    if (!is_below(whole, tidy(folder / frozen))) continue;
    const fs::path copied = tidy(fs::path(code) / whole.lexically_relative(tidy(folder)));
    std::error_code error;
    if (fs::exists(copied, error)) return copied;
  }
  return {};
}

std::vector<std::string> CodeCopy::words(const std::vector<std::string>& command) const {
  if (code.empty()) return command;
  std::vector<std::string> words = command;
  for (std::string& word : words) {
    if (const fs::path copied = in_copy(word); !word.empty() && !copied.empty()) {
      word = copied;
      continue;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals + 1 == word.size()) continue;
    if (const fs::path copied = in_copy(word.substr(equals + 1)); !copied.empty())
      word = word.substr(0, equals + 1) + copied.string();
  }
  return words;
}

fs::path CodeCopy::original(const fs::path& file) const {
  if (code.empty() || !is_below(file, code)) return file;
  return folder / file.lexically_relative(code);
}

std::vector<std::pair<std::string, std::string>> CodeCopy::environment() const {
  if (code.empty()) return {};
  std::vector<std::pair<std::string, std::string>> variables = {{"WINDROW_CODE", code}};
  const char* path = std::getenv("PYTHONPATH");
  std::istringstream parts(path == nullptr ? "" : path);
  std::string mapped;
  for (std::string part; std::getline(parts, part, ':');) {
    const fs::path copied = part.empty() ? fs::path() : in_copy(part);
    mapped += (mapped.empty() ? "" : ":") + (copied.empty() ? part : copied.string());
  }
  if (!mapped.empty()) variables.emplace_back("PYTHONPATH", mapped);
  return variables;
}

void make_code_copy(const std::vector<std::string>& freeze, const fs::path& folder,
                    const fs::path& into, const std::vector<fs::path>& leave_out) {
  const fs::path partial = into.string() + "." + std::to_string(getpid());
  std::uintmax_t bytes = 0;
  try {
    for (const std::string& frozen : freeze)
      for (const fs::path& file : files_below(tidy(folder / frozen))) {
        if (std::ranges::any_of(leave_out,
                                [&](const fs::path& path) { return is_below(file, path); }))
          continue;
        bytes += fs::file_size(file);
        if (bytes > kLargestCopy)
          throw std::runtime_error("freeze: " + frozen + " has more than " +
                                   std::to_string(kLargestCopy >> 20) +
                                   " MiB; name the folders that hold code alone");
        const fs::path target = partial / file.lexically_relative(tidy(folder));
        fs::create_directories(target.parent_path());
        fs::copy_file(file, target, fs::copy_options::overwrite_existing);
      }
    if (!fs::exists(partial))
      throw std::runtime_error("freeze: there is no file in " + freeze.front() +
                               "; name the folders that hold the program");
    fs::rename(partial, into);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
}

}  // namespace windrow::origin
