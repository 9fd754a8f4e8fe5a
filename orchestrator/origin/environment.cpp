#include "orchestrator/origin/environment.h"

#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "orchestrator/process/host_facts.h"
#include "orchestrator/process/program.h"

namespace windrow::origin {
namespace {

namespace fs = std::filesystem;
using protocol::Json;

// What stands behind `key` and a separator in the first line that begins with it.
std::string line_of(const fs::path& file, const std::string& key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key))
      if (const std::size_t at = line.find(separator); at != std::string::npos)
        return trimmed(line.substr(at + 1));
  return "";
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return trimmed(line);
}

std::string unquoted(const std::string& text) {
  return text.size() >= 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : text;
}

Json gpus(const fs::path& root) {
  std::vector<std::string> models;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "proc/driver/nvidia/gpus", error))
    models.push_back(line_of(entry.path() / "information", "Model", ':'));
  std::ranges::sort(models);
  return models;
}

// The folder of the Python environment that the command runs in; "" = none is known.
fs::path python_environment(const std::vector<std::string>& command) {
  const auto of = [](const fs::path& program) {
    const fs::path folder = program.parent_path().parent_path();
    std::error_code error;
    const bool is_environment =
        fs::exists(folder / "pyvenv.cfg", error) || fs::exists(folder / "conda-meta", error);
    return is_environment ? folder : fs::path();
  };
  if (!command.empty()) {
    fs::path program = command.front();
    if (command.front().find('/') == std::string::npos)
      program = find_program(command.front()).value_or(program);
    if (const fs::path folder = of(fs::absolute(program).lexically_normal()); !folder.empty())
      return folder;
  }
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string folder = variable(name); !folder.empty()) return folder;
  return {};
}

// numpy-2.1.0.dist-info -> "numpy 2.1.0"
Json packages(const fs::path& environment) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& lib : fs::directory_iterator(environment / "lib", error)) {
    if (!lib.path().filename().string().starts_with("python")) continue;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(lib.path() / "site-packages", ignored)) {
      if (entry.path().extension() != ".dist-info") continue;
      std::string name = entry.path().stem().string();
      std::ranges::replace(name, '-', ' ');
      names.push_back(std::move(name));
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

Json environment_facts(const std::vector<std::string>& command, const std::string& given) {
  const fs::path root = given.empty() ? "/" : given;
  Json facts = Json::object();
  const auto put = [&](const char* name, Json value) {
    if (!value.empty() && value != "") facts[name] = std::move(value);
  };
  put("cpu", line_of(root / "proc/cpuinfo", "model name", ':'));
  put("gpus", gpus(root));
  put("driver", first_line(root / "proc/driver/nvidia/version"));
  put("os", unquoted(line_of(root / "etc/os-release", "PRETTY_NAME", '=')));
  if (utsname system{}; uname(&system) == 0) put("kernel", system.release);
  const fs::path environment = python_environment(command);
  put("python", environment.string());
  if (!environment.empty()) put("packages", packages(environment));
  put("conda", variable("CONDA_DEFAULT_ENV"));
  put("modules", variable("LOADEDMODULES"));
  for (const char* name : {"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"})
    if (!facts.contains("cuda")) put("cuda", variable(name));
  for (const char* name : {"APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"})
    if (!facts.contains("container")) put("container", variable(name));
  return facts;
}

}  // namespace windrow::origin
