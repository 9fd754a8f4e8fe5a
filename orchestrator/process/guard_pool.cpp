#include "orchestrator/process/guard_pool.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "orchestrator/process/program.h"
#include "orchestrator/process/spawn.h"

namespace windrow {

namespace fs = std::filesystem;

namespace {
constexpr std::size_t kMostFiles = 4;
}

namespace {

fs::path find_helper(const std::string& name) {
  const fs::path folder = program_folder();
  for (const fs::path& file : {folder / name, folder / "../libexec/windrow" / name})
    if (access(file.c_str(), X_OK) == 0) return file.lexically_normal();
  throw std::system_error(ENOENT, std::generic_category(),
                          "windrow is not installed whole (install it anew, or build the target " +
                              name + "): it is neither in " + folder.string() +
                              " nor in ../libexec/windrow of it");
}

}  // namespace

fs::path find_guard() {
  return find_helper("windrow-guard");
}

fs::path find_gang_launcher() {
  return find_helper("windrow-gang");
}

bool GuardConnection::send(guard::Request request, int value, std::string_view text,
                           std::span<const int> files) const {
  guard::Header header{static_cast<std::int32_t>(request), value};
  std::array<iovec, 2> parts{
      {{&header, sizeof header}, {const_cast<char*>(text.data()), text.size()}}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFiles * sizeof(int))> control{};
  msghdr envelope{};
  envelope.msg_iov = parts.data();
  envelope.msg_iovlen = parts.size();
  if (!files.empty()) {
    envelope.msg_control = control.data();
    envelope.msg_controllen = CMSG_SPACE(files.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&envelope);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(rights), files.data(), files.size_bytes());
  }
  ssize_t n;
  do n = sendmsg(socket, &envelope, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n >= 0;
}

GuardPool::~GuardPool() {
  for (const GuardConnection& each : idle_) close(each.socket);
  for (const GuardConnection& each : idle_) leaving_.push_back(each.pid);
  reap();  // those that are left go to init when this process ends
}

GuardConnection GuardPool::run(const std::array<int, 4>& files) {
  reap();
  while (!idle_.empty()) {
    const GuardConnection guard = idle_.back();
    idle_.pop_back();
    if (guard.send(guard::Request::run, 0, {}, files)) return guard;
    let_go(guard);  // something killed it
  }
  const GuardConnection guard = start();
  if (guard.send(guard::Request::run, 0, {}, files)) return guard;
  const int error = errno;
  let_go(guard);
  throw std::system_error(error, std::generic_category(), "can't speak to windrow-guard");
}

GuardConnection GuardPool::start() {
  const fs::path program = find_guard();
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  SpawnCommand command{.argv = {program.string()},
                       .files = {{ends[1], guard::kSocket}},
                       .null_files = {0, 1, 2},
                       .own_group = true,
                       .signals_blocked = true};
  if (open_files_) command.argv.push_back(std::to_string(*open_files_));
  try {
    const pid_t pid = spawn(command);
    close(ends[1]);
    return {ends[0], pid};
  } catch (...) {
    for (const int end : ends) close(end);
    throw;
  }
}

void GuardPool::give_back(GuardConnection guard) {
  idle_.push_back(guard);
}

void GuardPool::let_go(GuardConnection guard) {
  close(guard.socket);
  leaving_.push_back(guard.pid);
  reap();
}

void GuardPool::reap() {
  std::erase_if(leaving_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
}

}  // namespace windrow
