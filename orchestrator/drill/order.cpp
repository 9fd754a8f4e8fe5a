#include "orchestrator/drill/order.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "orchestrator/control/whole_file.h"
#include "orchestrator/process/file.h"
#include "storage/process.h"

namespace windrow::drill {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string own_name() {
  static const storage::ProcessIdentity self = storage::this_process();
  return self.host + "-" + std::to_string(getpid());
}

void write_json(const fs::path& file, const json& content) {
  if (const std::string fault = control::write_whole_file(file, content.dump()); !fault.empty())
    throw std::runtime_error(fault);
}

std::optional<json> read_json(const fs::path& file) {
  std::ifstream stream(file);
  json content = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  return content.is_object() ? std::optional(std::move(content)) : std::nullopt;
}

std::map<fs::path, std::string> contents(const fs::path& folder) {
  std::map<fs::path, std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    found[entry.path().filename()] = text.str();
  }
  return found;
}

}  // namespace

void give_order(const fs::path& folder, const Order& order) {
  write_json(folder / "order", {{"deed", static_cast<int>(order.deed)},
                                {"where", static_cast<int>(order.where)},
                                {"seconds", order.seconds}});
}

std::optional<Order> see_order(const fs::path& folder) {
  const auto content = read_json(folder / "order");
  if (!content) return std::nullopt;
  return Order{static_cast<Deed>(content->at("deed").get<int>()),
               static_cast<Where>(content->at("where").get<int>()), content->at("seconds")};
}

// Only one rename of a file can succeed. Over NFS, one that did may be answered with an error.
bool take_order(const fs::path& folder) {
  const fs::path taken = folder / ("taken-" + own_name());
  std::error_code error;
  fs::rename(folder / "order", taken, error);
  return fs::exists(taken, error);
}

void write_done(const fs::path& folder, const Done& done) {
  write_json(folder / "done", {{"at_ms", done.at_ms},
                               {"trial", done.trial},
                               {"attempt", done.attempt},
                               {"host", done.host}});
}

std::optional<Done> read_done(const fs::path& folder) {
  const auto content = read_json(folder / "done");
  if (!content) return std::nullopt;
  return Done{content->at("at_ms"), content->at("trial"), content->at("attempt"),
              content->at("host")};
}

void note_epoch_begun(const fs::path& folder) {
  const File file(open((folder / "work" / own_name()).c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.get() < 0 || ::write(file.get(), ".", 1) != 1)
    throw std::runtime_error("can't write below " + folder.string());
}

int count_epochs_begun(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& [file, text] : contents(folder / "work")) count += text.size();
  return static_cast<int>(count);
}

fs::path beat_file(const fs::path& folder, const std::string& role) {
  return folder / "beat" / (role + " " + own_name());
}

// By what the files hold, since opening one is what makes a network file system look again.
std::vector<std::string> still_beating(const fs::path& folder) {
  const auto before = contents(folder / "beat");
  std::this_thread::sleep_for(std::chrono::milliseconds(5 * kBeatMilliseconds));
  std::vector<std::string> found;
  for (const auto& [file, text] : contents(folder / "beat"))
    if (const auto was = before.find(file); was == before.end() || was->second != text)
      found.push_back(file.string());
  return found;
}

}  // namespace windrow::drill
