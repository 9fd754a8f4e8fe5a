#include "orchestrator/origin/own_files.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "orchestrator/origin/python_imports.h"

namespace windrow::origin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 10'000;
constexpr std::uintmax_t kLargestText = 4 << 20;  // larger files are looked into for nothing

bool is_file(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error);
}

std::string read_text(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) > kLargestText || error) return "";
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// python3.11, /usr/bin/env, torchrun: what runs programs is none of them.
bool is_interpreter(const std::string& program) {
  std::string name = fs::path(program).filename().string();
  while (!name.empty() && (std::isdigit(static_cast<unsigned char>(name.back())) != 0 ||
                           name.back() == '.' || name.back() == '-'))
    name.pop_back();
  static const std::set<std::string> kNames = {
      "python", "pypy",    "bash",        "sh",       "dash",     "zsh",        "ksh",
      "perl",   "ruby",    "node",        "julia",    "Rscript",  "R",          "lua",
      "java",   "env",     "uv",          "conda",    "torchrun", "accelerate", "deepspeed",
      "mpirun", "mpiexec", "srun",        "nice",     "time",     "timeout",    "numactl",
      "stdbuf", "taskset", "singularity", "apptainer"};
  return kNames.contains(name);
}

bool is_script(const fs::path& file) {
  static const std::set<std::string> kSuffixes = {".py", ".sh", ".bash", ".pl",  ".R",   ".r",
                                                  ".jl", ".rb", ".js",   ".lua", ".awk", ".m"};
  return kSuffixes.contains(file.extension().string());
}

class Search {
 public:
  explicit Search(const fs::path& folder) : folder_(folder) {
    const char* path = std::getenv("PYTHONPATH");
    std::istringstream parts(path == nullptr ? "" : path);
    for (std::string part; std::getline(parts, part, ':');)
      if (!part.empty()) python_path_.push_back(folder_ / part);
  }

  void command(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (i == 0) {
        // A program in PATH is installed.
        if (word.find('/') != std::string::npos && !is_interpreter(word)) add(folder_ / word);
        continue;
      }
      if (words[i - 1] == "-m") {
        roots_ = {folder_};
        module(word, folder_, {});
        continue;
      }
      if (add(folder_ / word)) continue;
      if (const std::size_t equals = word.find('='); equals != std::string::npos)
        add(folder_ / word.substr(equals + 1));
    }
  }

  void more(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (add(folder_ / name)) continue;
      for (const fs::path& file : files_below(folder_ / name)) add(file);
    }
  }

  std::vector<fs::path> result() const { return {found_.begin(), found_.end()}; }

 private:
  // False where it is no file.
  bool add(const fs::path& given) {
    const fs::path file = given.lexically_normal();
    if (!is_file(file)) return false;
    if (found_.size() >= kMostFiles || !found_.insert(file).second) return true;
    const std::string text = is_script(file) || has_interpreter(file) ? read_text(file) : "";
    if (file.extension() == ".py" || names_python(text))
      follow_imports(file, text);
    else if (!text.empty())
      follow_mentions(file, text);
    return true;
  }

  static bool has_interpreter(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return in.get() == '#' && in.get() == '!';
  }
  static bool names_python(const std::string& text) {
    return text.starts_with("#!") &&
           text.substr(0, text.find('\n')).find("python") != std::string::npos;
  }

  // Python looks first in the folder of the script that was started.
  void follow_imports(const fs::path& file, const std::string& text) {
    const bool outermost = roots_.empty();
    if (outermost) roots_ = {file.parent_path()};
    for (const PythonImport& import : python_imports(text)) {
      if (import.level > 0) {
        fs::path package = file.parent_path();
        for (int up = 1; up < import.level; ++up) package = package.parent_path();
        module(import.module, package, import.names);
        continue;
      }
      std::vector<fs::path> roots = roots_;
      roots.insert(roots.end(), python_path_.begin(), python_path_.end());
      for (const fs::path& root : roots)
        if (module(import.module, root, import.names)) break;
    }
    if (outermost) roots_.clear();
  }

  // a.b is a/b.py or a/b/__init__.py, and a/__init__.py comes with it.
  bool module(const std::string& name, const fs::path& root,
              const std::vector<std::string>& names) {
    fs::path place = root;
    bool found = name.empty() && add(place / "__init__.py");
    std::istringstream parts(name);
    for (std::string part; std::getline(parts, part, '.');) {
      place /= part;
      found = add(fs::path(place) += ".py") || found;
      found = add(place / "__init__.py") || found;
    }
    for (const std::string& each : names) {
      found = add(place / (each + ".py")) || found;
      found = add(place / each / "__init__.py") || found;
    }
    if (add(place / "__main__.py")) found = true;
    return found;
  }

  // Scripts that another one names: `python train.py` in run.sh, source("model.R").
  void follow_mentions(const fs::path& file, const std::string& text) {
    constexpr std::string_view kBetween = " \t\r\n\"'`()=;<>|&,{}[]";
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = text.find_first_not_of(kBetween, at);
      if (begin == std::string::npos) return;
      at = std::min(text.find_first_of(kBetween, begin), text.size());
      const fs::path word = text.substr(begin, at - begin);
      if (!is_script(word)) continue;
      if (!add(folder_ / word)) add(file.parent_path() / word);
    }
  }

  fs::path folder_;
  std::vector<fs::path> python_path_, roots_;
  std::set<fs::path> found_;
};

}  // namespace

std::vector<fs::path> own_files(const std::vector<std::string>& command,
                                const std::vector<std::string>& more, const fs::path& folder) {
  Search search(folder);
  search.command(command);
  search.more(more);
  return search.result();
}

std::vector<fs::path> files_below(const fs::path& folder) {
  static const std::set<std::string> kNotOwn = {"__pycache__", "node_modules", "venv"};
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    const bool is_folder = at->is_directory(ignored);
    if (is_folder && (kNotOwn.contains(name) || name.starts_with(".") ||
                      fs::exists(at->path() / "pyvenv.cfg", ignored)))
      at.disable_recursion_pending();
    else if (!is_folder && !name.starts_with(".") && is_file(at->path()))
      files.push_back(at->path());
    if (files.size() >= kMostFiles) break;
  }
  std::ranges::sort(files);
  return files;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

std::string name_of(const fs::path& file, const fs::path& folder) {
  if (!is_below(file, folder)) return file.string();
  return file.lexically_normal().lexically_relative(folder.lexically_normal()).string();
}

}  // namespace windrow::origin
