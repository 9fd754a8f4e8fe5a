// Which files a command is made of that are its own: scripts, what they import from beside them, a
// program that was built. Interpreters and installed packages are not: they are the environment's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace windrow::origin {

// `more`: files and folders that are named besides, each file below a folder. All are looked up in
// `folder`, where the command starts. Files that can't be read are left out. Sorted, each once.
std::vector<std::filesystem::path> own_files(const std::vector<std::string>& command,
                                             const std::vector<std::string>& more,
                                             const std::filesystem::path& folder);

// Files below a folder, but for what is hidden, made by Python or an environment of its own.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

// Whether the path is the folder or below it, by their names alone.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder);

// As people name it: from `folder`, where it is below that.
std::string name_of(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace windrow::origin
