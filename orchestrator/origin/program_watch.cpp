#include "orchestrator/origin/program_watch.h"

#include <sys/stat.h>

#include <array>
#include <fstream>

#include "orchestrator/origin/own_files.h"
#include "protocol/hash.h"
#include "protocol/program.h"

namespace windrow::origin {
namespace {

namespace fs = std::filesystem;

// An argument of this size is data rather than program: known by size and time alone.
constexpr std::int64_t kLargestRead = 256 << 20;

std::string hash_of(const fs::path& file) {
  protocol::Hasher hasher;
  std::ifstream in(file, std::ios::binary);
  std::array<char, 65536> buffer;
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0)
    hasher.update(buffer.data(), static_cast<std::size_t>(in.gcount()));
  return hasher.hex().substr(0, 16);
}

}  // namespace

ProgramWatch::ProgramWatch(const protocol::TrainerSettings& trainer, fs::path folder, bool shipped)
    : trainer_(trainer), folder_(std::move(folder)), shipped_(shipped) {}

bool ProgramWatch::Seen::same_file(const Seen& other) const {
  return size == other.size && modified == other.modified && changed == other.changed &&
         inode == other.inode;
}

ProgramWatch::Seen ProgramWatch::look(const fs::path& file) {
  struct stat facts {};
  if (stat(file.c_str(), &facts) != 0) return {};
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {facts.st_size, nanoseconds(facts.st_mtim), nanoseconds(facts.st_ctim),
          static_cast<std::int64_t>(facts.st_ino), ""};
}

bool ProgramWatch::changed() const {
  for (const auto& [file, seen] : files_)
    if (!look(file).same_file(seen)) return true;
  return false;
}

const protocol::Program& ProgramWatch::now() {
  if (program_.hash.empty() || changed()) read();
  return program_;
}

void ProgramWatch::read() {
  const CodeCopy copy{trainer_.freeze, trainer_.code, folder_};
  std::map<fs::path, Seen> files;
  protocol::Json named = protocol::Json::object();
  std::vector<std::string> more = trainer_.files;
  more.insert(more.end(), trainer_.freeze.begin(), trainer_.freeze.end());
  const auto command = shipped_ ? std::vector{trainer_.command.front()} : trainer_.command;
  for (const fs::path& file : own_files(copy.words(command), copy.words(more), folder_)) {
    Seen seen = look(file);
    const auto before = files_.find(file);
    if (before != files_.end() && before->second.same_file(seen))
      seen.hash = before->second.hash;
    else
      seen.hash = seen.size > kLargestRead
                      ? std::to_string(seen.size) + "@" + std::to_string(seen.modified)
                      : hash_of(file);
    named[shipped_ ? file.filename().string() : name_of(copy.original(file), folder_)] = seen.hash;
    files.emplace(file, std::move(seen));
  }
  files_ = std::move(files);
  program_ = protocol::make_program(
      shipped_ ? std::vector<std::string>{fs::path(command.front()).filename()} : command,
      std::move(named));
}

}  // namespace windrow::origin
