#include "orchestrator/guard/attempt_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace windrow::guard {
namespace {

void make_folders_of(const std::string& file) {
  for (std::size_t slash = file.find('/', 1); slash != file.npos; slash = file.find('/', slash + 1))
    mkdir(file.substr(0, slash).c_str(), 0777);  // open() tells whether the last one is there
}

bool is_still(int fd, const std::string& file) {
  struct stat held {
  }, named{};
  return fstat(fd, &held) == 0 && stat(file.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

std::string first_line(int fd) {
  char text[256];
  const ssize_t n = pread(fd, text, sizeof text, 0);
  const std::string all(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  return all.substr(0, all.find('\n'));
}

void write_holder(int fd) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  const std::string text = std::string(host) + ", process " + std::to_string(getpid()) + "\n";
  // For people only: a full disk takes nothing from the lock.
  if (ftruncate(fd, 0) == 0) [[maybe_unused]]
    const ssize_t n = pwrite(fd, text.data(), text.size(), 0);
}

}  // namespace

AttemptLock::Outcome AttemptLock::try_take(const std::string& file) {
  let_go();
  while (true) {
    int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 && errno == ENOENT) {
      make_folders_of(file);
      fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    }
    if (fd < 0) return {Outcome::Kind::impossible, "", errno};
    int result;
    do result = flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0) {
      const int error = errno;
      const std::string holder = first_line(fd);
      close(fd);
      if (error == EWOULDBLOCK) return {Outcome::Kind::busy, holder};
      return {Outcome::Kind::impossible, "", error};
    }
    if (is_still(fd, file)) {
      write_holder(fd);
      fd_ = fd;
      return {Outcome::Kind::taken, ""};
    }
    close(fd);  // the file was removed between open() and flock(): another one counts now
  }
}

void AttemptLock::let_go() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace windrow::guard
