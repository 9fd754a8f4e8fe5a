// What a command asks of a run that may be on another host: files in a folder beside the database,
// which both see. DATABASE.requests/NAME.json is a request, NAME.answer what the run says to it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/ids.h"

namespace windrow::control {

struct Request {
  enum class Kind { stop, cancel };
  Kind kind = Kind::stop;
  bool now = false;             // stop: without the end of the epochs in progress
  std::vector<TrialId> trials;  // to cancel
  std::string by;               // user@host
  friend bool operator==(const Request&, const Request&) = default;
};

std::filesystem::path requests_folder(const std::filesystem::path& database);

// The run's side. Whoever may write into the folder, which is the user's alone, may ask.
class Inbox {
 public:
  // Makes the folder, and removes what was asked of a run before. Where it can't be made, nothing
  // can be asked, and fault() says why.
  explicit Inbox(std::filesystem::path folder);
  ~Inbox();  // removes the folder
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  const std::string& fault() const { return fault_; }

  // Hands over each request that has come, and writes what `handle` returns as its answer. One that
  // can't be read is answered so.
  void poll(const std::function<std::string(const Request&)>& handle);

 private:
  std::filesystem::path folder_;
  std::string fault_;
};

// The command's side: leaves the request and waits for the answer. nullopt: none came in time, and
// the request is taken back. `waiting` is called once, when it takes longer than a moment. Throws
// std::runtime_error where no run listens: there is no such folder, or it can't be written.
std::optional<std::string> ask(const std::filesystem::path& folder, const Request& request,
                               std::chrono::seconds limit, const std::function<void()>& waiting);

std::string this_user();  // user@host

}  // namespace windrow::control
