#include "orchestrator/control/snapshot.h"

#include <unistd.h>

#include "orchestrator/control/run_json.h"
#include "orchestrator/control/whole_file.h"
#include "storage/process.h"

namespace windrow::control {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::chrono::seconds kEvery{2};
constexpr std::chrono::seconds kReadEvery{10};  // the database, and never more than a part of the
constexpr int kReadShare = 20;                  // time: so many times as long as it took

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string to_text(const RunView& view, const Highlights& highlights) {
  return json{{"host", storage::this_process().host},
              {"pid", getpid()},
              {"at", unix_seconds()},
              {"run", to_json(view)},
              {"metric", highlights.metric},
              {"best", to_json(highlights.best)},
              {"failures", to_json(highlights.failed)}}
             .dump(1, ' ', false, json::error_handler_t::replace) +
         "\n";
}

}  // namespace

fs::path snapshot_file(const fs::path& database) {
  return database.string() + ".status.json";
}

std::optional<Snapshot> read_snapshot(const fs::path& file) {
  try {
    const json fields = json::parse(read_whole_file(file));
    return Snapshot{.host = fields.at("host"),
                    .pid = fields.at("pid"),
                    .age_seconds = unix_seconds() - fields.at("at").get<double>(),
                    .run = run_view_of(fields.at("run")),
                    .highlights = {fields.at("metric"), table_of(fields.at("best")),
                                   table_of(fields.at("failures"))}};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

Publisher::Publisher(fs::path database, const sweeps::Study& study)
    : database_(std::move(database)), study_(study), thread_([this] { work(); }) {}

Publisher::~Publisher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  std::error_code error;
  fs::remove(snapshot_file(database_), error);
}

void Publisher::tick(Clock::time_point now, const std::function<RunView()>& view) {
  if (now < next_) return;
  next_ = now + kEvery;
  {
    const std::lock_guard lock(mutex_);
    view_ = view();
  }
  changed_.notify_one();
}

std::string Publisher::best() {
  const std::lock_guard lock(mutex_);
  return best_;
}

// What can't be read or written is left out: the run matters more, and the next try may do better.
void Publisher::work() {
  Highlights highlights;
  Clock::time_point next_read{};
  while (true) {
    std::optional<RunView> view;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ending_ || view_; });
      if (ending_) return;
      view = std::exchange(view_, std::nullopt);
    }
    if (const auto begin = Clock::now(); begin >= next_read) {
      try {
        storage::Reader reader(database_);
        highlights = study_highlights(reader, study_);
        const std::lock_guard lock(mutex_);
        best_ = best_text(highlights);
      } catch (const storage::StorageError&) {
      }
      const auto end = Clock::now();
      next_read = end + std::max<Clock::duration>(kReadEvery, kReadShare * (end - begin));
    }
    write_whole_file(snapshot_file(database_), to_text(*view, highlights));
  }
}

}  // namespace windrow::control
