#include "orchestrator/session/public_side.h"

#include "orchestrator/control/door_file.h"
#include "storage/process.h"

namespace windrow {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPoll{500};

}  // namespace

PublicSide::PublicSide(fs::path database, const sweeps::Study& study, Coordinator& coordinator,
                       Coordinator::LogLine log)
    : database_(fs::absolute(database)),
      coordinator_(coordinator),
      log_(std::move(log)),
      publisher_(database_, study),
      inbox_(control::requests_folder(database_)) {
  if (!inbox_.fault().empty())
    log_("warning", "`windrow stop` and `cancel` can't reach this run: " + inbox_.fault());
}

PublicSide::~PublicSide() {
  std::error_code error;
  if (!door_file_.empty()) fs::remove(door_file_, error);
}

std::unique_ptr<Door> PublicSide::open_to_workers(int port) {
  std::unique_ptr<Door> door = open_door(port);
  DoorCard card = door->keys();
  card.host = storage::this_process().host;
  card.addresses = own_addresses();
  card.folder = fs::current_path().string();
  door_file_ = control::door_file(database_);
  control::write_door_file(door_file_, card);
  log_("info", "workers join by `windrow work --join " + database_.string() + "` (port " +
                   std::to_string(card.port) + " of " + card.host + ")");
  return door;
}

void PublicSide::tick(Clock::time_point now) {
  publisher_.tick(now, [this] { return coordinator_.view(); });
  if (now < next_poll_) return;
  next_poll_ = now + kPoll;
  inbox_.poll([this](const control::Request& request) { return answer(request); });
}

std::string PublicSide::answer(const control::Request& request) {
  if (request.kind == control::Request::Kind::stop) {
    coordinator_.stop_for(request.by, request.now);
    return request.now ? "it stops at once" : "it stops after the epochs in progress";
  }
  const int open = coordinator_.cancel(request.trials, request.by);
  const auto asked = static_cast<int>(request.trials.size());
  const std::string text =
      std::to_string(open) + (open == 1 ? " trial is" : " trials are") + " cancelled";
  if (open == asked) return text;
  return text + "; " + std::to_string(asked - open) +
         " were over or are not of the study that runs";
}

}  // namespace windrow
