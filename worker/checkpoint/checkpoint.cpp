#include "worker/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <system_error>

#include "protocol/hash.h"
#include "protocol/lines.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little, "the file format is little-endian");

constexpr std::string_view kMagic = "WNDRWCKP";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHashSize = 32;
constexpr std::string_view kPrefix = "epoch-", kSuffix = ".ckpt", kTemporary = ".tmp";

TrainerError write_error(const fs::path& path, const char* what, int error) {
  return {protocol::TrainerFailure::crash,
          std::string("can't ") + what + " " + path.string() + ": " + std::strerror(error) +
              "; check the checkpoint folder's free space and permissions"};
}

// A file descriptor that is closed on the way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

void sync_folder(const fs::path& folder) {
  const Descriptor d{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (d.fd < 0 || ::fsync(d.fd) != 0) throw write_error(folder, "sync", errno);
}

template <class T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::string header_of(const Checkpoint& checkpoint) {
  std::uint64_t payload = sizeof(std::uint32_t) + 3 * sizeof(std::uint64_t) +
                          checkpoint.history.size() + checkpoint.computed_by.size() +
                          checkpoint.layout.size();
  for (const std::string& blob : checkpoint.blobs) payload += sizeof(std::uint64_t) + blob.size();
  std::string header(kMagic);
  put(header, kVersion);
  put(header, static_cast<std::uint32_t>(checkpoint.epoch));
  header += checkpoint.trial_hash;
  put(header, payload);
  put(header, static_cast<std::uint32_t>(checkpoint.blobs.size()));
  return header;
}

// Writes to a descriptor and hashes what it writes.
class HashingWriter {
 public:
  HashingWriter(int fd, const fs::path& path) : fd_(fd), path_(path) {}

  void write(std::string_view bytes) {
    hasher_.update(bytes);
    write_plain(bytes);
  }
  void write_sized(const std::string& bytes) {
    std::string size;
    put(size, static_cast<std::uint64_t>(bytes.size()));
    write(size);
    write(bytes);
  }
  std::string finish() {
    std::string hash = hasher_.hex();
    write_plain(hash);
    return hash;
  }

 private:
  void write_plain(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw write_error(path_, "write", errno);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  int fd_;
  const fs::path& path_;
  protocol::Hasher hasher_;
};

// Takes a file's content apart, front to back.
class Parser {
 public:
  Parser(std::string_view rest, const fs::path& path) : rest_(rest), path_(path) {}

  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) fail("it is shorter than it says");
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string sized() { return std::string(take(number<std::uint64_t>())); }
  std::size_t left() const { return rest_.size(); }
  [[noreturn]] void fail(const std::string& what) const {
    throw CheckpointError("checkpoint " + path_.string() + " can't be used: " + what);
  }

 private:
  std::string_view rest_;
  const fs::path& path_;
};

}  // namespace

std::string checkpoint_name(int epoch) {
  return std::string(kPrefix) + std::to_string(epoch) + std::string(kSuffix);
}

CheckpointFolder::CheckpointFolder(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  if (fs::create_directories(folder_, error)) {
    const fs::path parent = fs::absolute(folder_).parent_path();
    sync_folder(parent);
  }
  if (error) throw write_error(folder_, "make the checkpoint folder", error.value());
  for (const auto& file : fs::directory_iterator(folder_))
    if (file.path().extension() == kTemporary) fs::remove(file.path(), error);
}

std::vector<int> CheckpointFolder::epochs() const {
  std::vector<int> epochs;
  for (const auto& file : fs::directory_iterator(folder_)) {
    const std::string name = file.path().filename();
    int epoch = 0;
    if (!name.starts_with(kPrefix)) continue;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), epoch);
    if (epoch > 0 && name == checkpoint_name(epoch)) epochs.push_back(epoch);
  }
  std::sort(epochs.rbegin(), epochs.rend());
  return epochs;
}

Checkpoint CheckpointFolder::read(int epoch, std::string* content_hash) const {
  const fs::path path = folder_ / checkpoint_name(epoch);
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
  Parser parser(content, path);
  if (!file) parser.fail("it can't be read");
  if (content.size() < kMagic.size() + kHashSize || parser.take(kMagic.size()) != kMagic)
    parser.fail("it is no checkpoint of Windrow, or was cut short");
  const auto version = parser.number<std::uint32_t>();
  if (version != kVersion)
    parser.fail("its version is " + std::to_string(version) + ", this trainer's is " +
                std::to_string(kVersion));
  const std::string_view body = std::string_view(content).substr(0, content.size() - kHashSize);
  const std::string hash = protocol::content_hash(body);
  if (hash != std::string_view(content).substr(body.size()))
    parser.fail("its content doesn't match its hash (damaged or cut short)");
  Checkpoint checkpoint;
  checkpoint.epoch = static_cast<int>(parser.number<std::uint32_t>());
  checkpoint.trial_hash = parser.take(kHashSize);
  if (parser.number<std::uint64_t>() + kHashSize != parser.left())
    parser.fail("its payload has another size than it says");
  const auto blobs = parser.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < blobs; ++i) checkpoint.blobs.push_back(parser.sized());
  checkpoint.history = parser.sized();
  if (parser.left() > kHashSize) checkpoint.computed_by = parser.sized();
  if (parser.left() > kHashSize) checkpoint.layout = parser.sized();
  if (checkpoint.epoch != epoch) parser.fail("it is of epoch " + std::to_string(checkpoint.epoch));
  if (content_hash) *content_hash = hash;
  return checkpoint;
}

std::string CheckpointFolder::write(const Checkpoint& checkpoint) const {
  const fs::path path = folder_ / checkpoint_name(checkpoint.epoch);
  fs::path temporary = path;
  temporary += kTemporary;
  std::string hash;
  {
    const Descriptor d{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (d.fd < 0) throw write_error(temporary, "create", errno);
    HashingWriter writer(d.fd, temporary);
    writer.write(header_of(checkpoint));
    for (const std::string& blob : checkpoint.blobs) writer.write_sized(blob);
    writer.write_sized(checkpoint.history);
    writer.write_sized(checkpoint.computed_by);
    writer.write_sized(checkpoint.layout);
    hash = writer.finish();
    if (::fsync(d.fd) != 0) throw write_error(temporary, "sync", errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw write_error(path, "rename to", errno);
  sync_folder(folder_);
  remove_all_but(2);
  return hash;
}

void CheckpointFolder::keep_newest() const {
  remove_all_but(1);
}

void CheckpointFolder::remove_all_but(std::size_t newest) const {
  const std::vector<int> all = epochs();
  for (std::size_t i = newest; i < all.size(); ++i) {
    std::error_code ignored;  // an old file that stays does no harm
    fs::remove(folder_ / checkpoint_name(all[i]), ignored);
  }
}

}  // namespace windrow::worker
