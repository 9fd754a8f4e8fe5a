#include "orchestrator/transport/door.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include "orchestrator/process/program.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

void* open_module() {
  const std::string name = "libwindrow_door.so";
  for (const fs::path& folder : {program_folder(), program_folder() / "../lib/windrow"}) {
    if (!fs::exists(folder / name)) continue;
    if (void* module = dlopen((folder / name).c_str(), RTLD_NOW | RTLD_LOCAL)) return module;
    const char* why = dlerror();
    throw std::runtime_error("to serve workers or to join a run takes ZeroMQ (Debian: libzmq5): " +
                             std::string(why == nullptr ? "" : why));
  }
  throw std::runtime_error(name + " was not built (libzmq3-dev and cppzmq-dev were missing)");
}

template <class Function>
Function function_of_module(const char* name) {
  const auto function = reinterpret_cast<Function>(dlsym(open_module(), name));
  if (function == nullptr)
    throw std::runtime_error(
        "libwindrow_door.so is of another version of windrow; install it "
        "anew, all of it");
  return function;
}

bool listens(const std::string& address, int port, int milliseconds) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  if (!connected && fd >= 0 && errno == EINPROGRESS) {
    pollfd waits{fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    connected = poll(&waits, 1, milliseconds) == 1 &&
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }
  if (fd >= 0) close(fd);
  freeaddrinfo(found);
  return connected;
}

}  // namespace

std::unique_ptr<Door> open_door(int port) {
  return std::unique_ptr<Door>(function_of_module<Door* (*)(int)>("windrow_open_door")(port));
}

std::unique_ptr<Link> join_door(const DoorCard& card, const std::string& address) {
  using Join = Link* (*)(const DoorCard&, const std::string&);
  return std::unique_ptr<Link>(function_of_module<Join>("windrow_join_door")(card, address));
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> outer, loopback;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return {"127.0.0.1"};
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    ((one->ifa_flags & IFF_LOOPBACK) != 0 ? loopback : outer).emplace_back(text.data());
  }
  freeifaddrs(all);
  outer.insert(outer.end(), loopback.begin(), loopback.end());
  return outer;
}

std::string reachable_address(const DoorCard& card, double seconds_each) {
  const auto found = std::ranges::find_if(card.addresses, [&](const std::string& address) {
    return listens(address, card.port, static_cast<int>(seconds_each * 1000));
  });
  return found == card.addresses.end() ? "" : *found;
}

}  // namespace windrow
