// windrow data: gets the data sets that the shipped tasks need.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "orchestrator/commands/commands.h"
#include "orchestrator/process/program.h"
#include "orchestrator/session/preflight.h"

namespace windrow::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUrl = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";
constexpr const char* kMd5 = "c32a1d4ab5d03f1284b67883e8d87530";
constexpr const char* kFolder = "cifar-10-batches-bin";

struct DataError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DataOptions {
  std::string dir;
  std::string url = kUrl;
  std::string md5 = kMd5;
  bool json = false;
};

// A folder beside the data, on the same file system: what is unpacked there gets to its place by a
// rename, so that no half-written file ever lies there.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& parent) {
    std::string name = (parent / ".cifar10-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw DataError("can't make a folder in " + parent.string() + ": " + std::strerror(errno) +
                      "; give a folder that you may write to with --dir or WINDROW_DATA");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void download(const std::string& url, const fs::path& file) {
  std::vector<std::string> argv = {"curl", "--fail", "--location", "--retry", "3"};
  if (isatty(STDERR_FILENO) != 0)
    argv.push_back("--progress-bar");
  else
    argv.insert(argv.end(), {"--silent", "--show-error"});
  argv.insert(argv.end(), {"--output", file.string(), "--", url});
  const ProgramResult result =
      run_program(argv,
                  "install curl (Debian: apt-get install curl), or download the archive on another "
                  "machine and give it with --url file:///path/of/it");
  if (result.exit_code != 0)
    throw DataError("curl could not download " + url + " (exit code " +
                    std::to_string(result.exit_code) +
                    "; its message stands above); check the network and --url, and that the disk "
                    "of " +
                    file.parent_path().parent_path().string() + " has 0.5 GB free");
}

void verify_md5(const std::string& url, const fs::path& file, const std::string& expected) {
  const ProgramResult result =
      run_program({"md5sum", "--", file.string()}, "install coreutils, which has it");
  // GNU md5sum begins with a backslash where it had to escape the file's name.
  std::string actual = result.output.substr(result.output.starts_with('\\') ? 1 : 0, 32);
  if (result.exit_code != 0)
    throw DataError("md5sum could not read the archive (exit code " +
                    std::to_string(result.exit_code) + ")");
  if (actual != expected)
    throw DataError(url + ": wrong checksum: expected MD5 " + expected + ", got " + actual + " (" +
                    std::to_string(fs::file_size(file)) +
                    " bytes); try again, or take another --url; nothing was changed");
}

// Unpacks into `folder` and returns where cifar-10-batches-bin lies there, complete.
fs::path unpack(const std::string& url, const fs::path& archive, const fs::path& folder) {
  const ProgramResult result =
      run_program({"tar", "--extract", "--gzip", "--no-same-owner", "--file", archive.string(),
                   "--directory", folder.string()},
                  "install tar and gzip");
  if (result.exit_code != 0)
    throw DataError("tar could not unpack the archive of " + url + " (exit code " +
                    std::to_string(result.exit_code) +
                    "; its message stands above); is the disk full?");
  if (const auto faults = cifar10_faults(folder); !faults.empty())
    throw DataError(url + ": does not hold the CIFAR-10 binary files: " + faults.front() +
                    "; give the archive cifar-10-binary.tar.gz with --url");
  return folder / kFolder;
}

// File by file where the folder is there already: what else lies in it stays.
void move_into_place(const fs::path& unpacked, const fs::path& target) {
  if (!fs::exists(target)) {
    fs::rename(unpacked, target);
    return;
  }
  for (const auto& entry : fs::directory_iterator(unpacked))
    fs::rename(entry.path(), target / entry.path().filename());
}

void report(const DataOptions& options, const fs::path& dir, bool downloaded) {
  const fs::path folder = fs::exists(dir / kFolder) ? dir / kFolder : dir;
  if (options.json)
    std::cout << nlohmann::json{{"folder", folder.string()}, {"downloaded", downloaded}} << "\n";
  else
    std::cout << folder.string() << "\n";
}

int get_cifar10(const DataOptions& options) {
  const fs::path dir = data_folder(options.dir);
  if (cifar10_faults(dir).empty()) {
    std::cerr << "CIFAR-10 is complete already\n";
    report(options, dir, false);
    return kAllDone;
  }
  std::error_code error;
  fs::create_directories(dir, error);
  if (error)
    throw DataError("can't make the folder " + dir.string() + ": " + error.message() +
                    "; give another one with --dir or WINDROW_DATA");
  const TemporaryFolder temporary(dir);
  const fs::path archive = temporary.path() / "cifar-10-binary.tar.gz";
  std::cerr << "downloading " << options.url << "\n";
  download(options.url, archive);
  verify_md5(options.url, archive, options.md5);
  move_into_place(unpack(options.url, archive, temporary.path()), dir / kFolder);
  report(options, dir, true);
  return kAllDone;
}

}  // namespace

void add_data(CLI::App& app, int& exit_code) {
  CLI::App* data = app.add_subcommand("data", "Get the data sets that the shipped tasks need");
  data->require_subcommand(1);
  data->footer("Example:\n  windrow data cifar10 --dir /scratch/data");
  auto options = std::make_shared<DataOptions>();
  CLI::App* cifar10 = data->add_subcommand(
      "cifar10", "Download CIFAR-10 (binary version, 162 MiB), check it and unpack it");
  cifar10->add_option("--dir", options->dir,
                      "folder to put cifar-10-batches-bin into (default: $WINDROW_DATA, else "
                      "windrow in the cache folder)");
  cifar10->add_option("--url", options->url, "where to get the archive; file:// works too")
      ->capture_default_str();
  cifar10->add_option("--md5", options->md5, "the archive's MD5, for an archive of one's own")
      ->capture_default_str();
  cifar10->add_flag("--json", options->json, "print {\"folder\", \"downloaded\"}");
  cifar10->footer(
      "Prints the folder on stdout. Does nothing where the files are complete already. Needs "
      "curl,\n"
      "md5sum and tar. Exit code 0: the data are there; 1: they could not be got.\n\n"
      "Examples:\n"
      "  windrow data cifar10\n"
      "  windrow data cifar10 --dir /scratch/data --url file:///tmp/cifar-10-binary.tar.gz");
  cifar10->callback([options, &exit_code] {
    try {
      exit_code = get_cifar10(*options);
    } catch (const std::exception& error) {
      std::cerr << "windrow data: " << error.what() << "\n";
      exit_code = kSomeFailed;
    }
  });
}

}  // namespace windrow::commands
