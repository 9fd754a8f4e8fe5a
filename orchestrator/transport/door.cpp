#include "orchestrator/transport/door.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "orchestrator/process/program.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

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

fs::path door_file(const fs::path& database) {
  return database.string() + ".door";
}

void write_door_file(const fs::path& file, const DoorCard& card) {
  const std::string text = json{{"host", card.host},
                                {"addresses", card.addresses},
                                {"port", card.port},
                                {"server_key", card.server_key},
                                {"client_key", card.client_key},
                                {"client_secret", card.client_secret},
                                {"folder", card.folder}}
                               .dump(1, ' ', false, json::error_handler_t::replace) +
                           "\n";
  const std::string fresh = file.string() + "." + std::to_string(getpid()) + ".tmp";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool whole =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const std::string why = std::strerror(errno);
  if (fd >= 0) close(fd);
  if (!whole || rename(fresh.c_str(), file.c_str()) != 0) {
    unlink(fresh.c_str());
    throw std::runtime_error(file.string() + ": can't be written: " + why);
  }
}

std::optional<DoorCard> read_door_file(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  std::ifstream in(file);
  if (!in)
    throw std::runtime_error(file.string() + ": can't be read: " + std::strerror(errno) +
                             "; only the user whose run it is can join it");
  std::ostringstream text;
  text << in.rdbuf();
  try {
    const json fields = json::parse(text.str());
    return DoorCard{fields.at("host"),       fields.at("addresses"),  fields.at("port"),
                    fields.at("server_key"), fields.at("client_key"), fields.at("client_secret"),
                    fields.at("folder")};
  } catch (const json::exception& fault) {
    throw std::runtime_error(file.string() + ": is no door of this version: " + fault.what());
  }
}

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
