#include "orchestrator/guard/attempt_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace windrow::guard {
namespace {

constexpr int kRecordBytes = 64;
constexpr int kOpenFlags = O_RDWR | O_CREAT | O_CLOEXEC;

void make_folders_of(const std::string& file) {
  for (std::size_t slash = file.find('/', 1); slash != file.npos; slash = file.find('/', slash + 1))
    mkdir(file.substr(0, slash).c_str(), 0777);  // open() tells whether the last one is there
}

// As much as the record has room for.
const std::string& host_name() {
  static const std::string name = [] {
    char text[41] = "";
    gethostname(text, sizeof text - 1);
    return std::string(text);
  }();
  return name;
}

}  // namespace

AttemptLock::~AttemptLock() {
  close_file();
}

AttemptLock::Outcome AttemptLock::try_take(const std::string& file, int record) {
  let_go();
  while (true) {
    if (file != file_ && !open_file(file)) return {Outcome::Kind::impossible, "", errno};
    record_ = record;
    if (set(F_WRLCK) != 0) {
      if (errno == EAGAIN || errno == EACCES) return {Outcome::Kind::busy, holder()};
      const int error = errno;
      close_file();
      return {Outcome::Kind::impossible, "", error};
    }
    held_ = true;
    if (is_still_named(file)) {
      write_holder();
      return {Outcome::Kind::taken, ""};
    }
    close_file();  // it was removed, and another one of its name counts now
  }
}

void AttemptLock::let_go() {
  if (held_ && set(F_UNLCK) != 0) close_file();
  held_ = false;
}

bool AttemptLock::open_file(const std::string& file) {
  close_file();
  fd_ = open(file.c_str(), kOpenFlags, 0666);
  if (fd_ < 0 && errno == ENOENT) {
    make_folders_of(file);
    fd_ = open(file.c_str(), kOpenFlags, 0666);
  }
  struct stat opened {};
  if (fd_ < 0 || fstat(fd_, &opened) != 0) return false;
  file_ = file;
  device_ = opened.st_dev;
  inode_ = opened.st_ino;
  return true;
}

bool AttemptLock::is_still_named(const std::string& file) const {
  struct stat named {};
  return stat(file.c_str(), &named) == 0 && named.st_dev == device_ && named.st_ino == inode_;
}

void AttemptLock::close_file() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  file_.clear();
  held_ = false;
}

int AttemptLock::set(short kind) const {
  struct flock range {};
  range.l_type = kind;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(record_) * kRecordBytes;
  range.l_len = kRecordBytes;
  int result;
  do result = fcntl(fd_, F_OFD_SETLK, &range);
  while (result != 0 && errno == EINTR);
  return result;
}

std::string AttemptLock::holder() const {
  char text[kRecordBytes];
  const ssize_t n = pread(fd_, text, sizeof text, static_cast<off_t>(record_) * kRecordBytes);
  const std::string all(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  const std::size_t end = all.find_last_not_of(std::string_view(" \n\0", 3));
  return end == all.npos ? "" : all.substr(0, end + 1);
}

void AttemptLock::write_holder() const {
  std::string text = host_name() + ", process " + std::to_string(pid_ != 0 ? pid_ : getpid());
  text.resize(kRecordBytes - 1, ' ');
  text += '\n';
  // A full disk takes nothing from the lock.
  [[maybe_unused]] const ssize_t n =
      pwrite(fd_, text.data(), text.size(), static_cast<off_t>(record_) * kRecordBytes);
}

}  // namespace windrow::guard
