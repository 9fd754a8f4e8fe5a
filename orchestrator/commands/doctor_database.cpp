#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "orchestrator/commands/doctor_checks.h"
#include "orchestrator/console/progress.h"
#include "orchestrator/session/time_limit.h"
#include "storage/file_system.h"
#include "storage/journal.h"
#include "storage/reader.h"

namespace windrow::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabaseCheck = "database";
constexpr double kLittleSpace = 1e9;  // bytes; a big study's epochs take some hundred MB

// "" where a file can be made, written and synced in the folder; else why not.
std::string why_not_writable(const fs::path& folder) {
  std::string name = (folder / ".windrow-doctor-XXXXXX").string();
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return std::strerror(errno);
  const bool works = write(fd, "windrow", 7) == 7 && fsync(fd) == 0;
  const std::string why = works ? "" : std::strerror(errno);
  close(fd);
  unlink(name.c_str());
  return why;
}

Finding check_space(const fs::path& folder) {
  struct statvfs facts {};
  if (statvfs(folder.c_str(), &facts) != 0)
    return {Health::warning, "free space", std::string("can't be told: ") + std::strerror(errno),
            "look with df"};
  const double free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f GB", free / 1e9);
  if (free < kLittleSpace)
    return {Health::warning, "free space", text.data(),
            "the database and the checkpoints lie here: make room, or use --db and --checkpoints "
            "elsewhere"};
  return {Health::ok, "free space", text.data(), ""};
}

Finding check_file_system(const fs::path& folder) {
  const storage::FileSystem* system = storage::file_system_of(folder);
  if (system != nullptr && system->shared)
    return {Health::warning, "file system",
            std::string(system->name) + " may be shared between hosts",
            "the database works there with a rollback journal, slower; a local disk of rank 0 is "
            "faster, with --checkpoints on the shared one"};
  return {Health::ok, "file system", system == nullptr ? "a local or unknown one" : system->name,
          ""};
}

}  // namespace

Findings check_database_folder(const fs::path& database) {
  const fs::path folder = fs::absolute(database).parent_path();
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return {{Health::fault, kDatabaseCheck, folder.string() + " is no folder",
             "make it, or give another file with --db"}};
  if (const std::string why = why_not_writable(folder); !why.empty())
    return {{Health::fault, kDatabaseCheck, folder.string() + " can't be written: " + why,
             "give a file in a folder that you may write to with --db"}};
  const bool log_works = storage::write_ahead_log_works(fs::absolute(database));
  return {{Health::ok, kDatabaseCheck,
           folder.string() + " is writable; " +
               (log_works ? "SQLite's write-ahead log works there"
                          : "SQLite uses a rollback journal there"),
           ""},
          check_file_system(folder),
          check_space(folder)};
}

Findings check_time(const fs::path& database) {
  const auto end = slurm_end_time();
  if (!end || !fs::exists(database)) return {};
  const double left =
      std::chrono::duration<double>(*end - std::chrono::system_clock::now()).count();
  double longest = 0;
  try {
    storage::Reader reader(database);
    const auto table = reader.query("SELECT max(wall_seconds) FROM epochs");
    if (const auto* seconds = std::get_if<double>(&table.rows.at(0).at(0))) longest = *seconds;
  } catch (const storage::StorageError&) {
    return {};
  }
  const std::string text = "the job has " + format_duration(left) +
                           " left, the longest epoch took " + format_duration(longest);
  if (left < longest)
    return {{Health::warning, "time", text, "ask for more time (--time): nothing would be done"}};
  return {{Health::ok, "time", text, ""}};
}

}  // namespace windrow::commands
