#include "orchestrator/control/requests.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "orchestrator/control/whole_file.h"
#include "storage/process.h"

namespace windrow::control {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* kRequest = ".json";
constexpr const char* kAnswer = ".answer";

std::string to_text(const Request& request) {
  json trials = json::array();
  for (const TrialId trial : request.trials) trials.push_back(trial.value);
  return json{{"ask", request.kind == Request::Kind::stop ? "stop" : "cancel"},
              {"now", request.now},
              {"trials", trials},
              {"by", request.by}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Request parse(const std::string& text) {
  const json fields = json::parse(text);
  const std::string what = fields.at("ask");
  if (what != "stop" && what != "cancel") throw std::runtime_error("unknown request " + what);
  Request request{.kind = what == "stop" ? Request::Kind::stop : Request::Kind::cancel,
                  .now = fields.value("now", false),
                  .by = fields.value("by", "")};
  for (const auto& trial : fields.at("trials")) request.trials.push_back(TrialId{trial});
  return request;
}

void remove_files(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == kRequest || entry.path().extension() == kAnswer)
      fs::remove(entry.path(), error);
}

// No other request of any host has it.
std::string unique_name() {
  static int count = 0;
  const auto process = storage::this_process();
  const auto now = std::chrono::system_clock::now().time_since_epoch() / 1ns;
  return process.host + "-" + std::to_string(process.pid) + "-" + std::to_string(now) + "-" +
         std::to_string(++count);
}

}  // namespace

fs::path requests_folder(const fs::path& database) {
  return database.string() + ".requests";
}

Inbox::Inbox(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
  if (error) fault_ = folder_.string() + ": " + error.message();
  remove_files(folder_);
}

// An answer that nobody takes stays, and with it the folder: the next run removes it.
Inbox::~Inbox() {
  std::error_code error;
  const auto limit = std::chrono::steady_clock::now() + 2s;
  while (!fs::is_empty(folder_, error) && !error && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(20ms);
  fs::remove(folder_, error);
}

void Inbox::poll(const std::function<std::string(const Request&)>& handle) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (entry.path().extension() == kRequest) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  for (const fs::path& file : found) {
    std::string answer;
    try {
      answer = handle(parse(read_whole_file(file)));
    } catch (const std::exception& fault) {
      answer = std::string("it can't be read: ") + fault.what();
    }
    fs::remove(file, error);
    write_whole_file(fs::path(file).replace_extension(kAnswer), answer);
  }
}

std::optional<std::string> ask(const fs::path& folder, const Request& request,
                               std::chrono::seconds limit, const std::function<void()>& waiting) {
  const fs::path file = folder / (unique_name() + kRequest);
  const fs::path answer = fs::path(file).replace_extension(kAnswer);
  if (!fs::is_directory(folder)) throw std::runtime_error("no run listens at " + folder.string());
  if (const std::string fault = write_whole_file(file, to_text(request)); !fault.empty())
    throw std::runtime_error(fault);
  const auto begin = std::chrono::steady_clock::now();
  std::error_code error;
  for (bool told = false; !fs::exists(answer, error); std::this_thread::sleep_for(50ms)) {
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (waited > limit) {
      fs::remove(file, error);
      return std::nullopt;
    }
    if (waited > 2s && !std::exchange(told, true)) waiting();
  }
  const std::string text = read_whole_file(answer);
  fs::remove(answer, error);
  return text;
}

std::string this_user() {
  const passwd* entry = getpwuid(geteuid());
  return (entry == nullptr ? std::to_string(geteuid()) : std::string(entry->pw_name)) + "@" +
         storage::this_process().host;
}

}  // namespace windrow::control
