#include "orchestrator/session/notices.h"

#include <algorithm>

#include "orchestrator/process/bounded_run.h"
#include "storage/process.h"

namespace windrow {
namespace {

std::string run_notice(const std::string& event, std::vector<std::string> argv,
                       const std::string& input) {
  const BoundedResult told =
      run_bounded({.argv = std::move(argv),
                   .input = input,
                   .deadline = std::chrono::steady_clock::now() + Notices::kLimit,
                   .with_stderr = true});
  if (told.exit_code == 0) return "";
  std::string why =
      told.exit_code ? "it ended with " + std::to_string(*told.exit_code) : told.fault;
  if (!told.output.empty())
    why += ": " + told.output.substr(0, told.output.find_last_not_of('\n') + 1);
  return event + " was not told: " + why;
}

}  // namespace

Notices::Notices(const sweeps::Study& study, const std::filesystem::path& database, LogLine log)
    : study_(study), database_(std::filesystem::absolute(database)), log_(std::move(log)) {}

Notices::~Notices() {
  reap(true);
}

void Notices::tick(Clock::time_point now, int failed,
                   const std::function<nlohmann::json()>& summary) {
  reap(false);
  if (failed <= told_failures_ || now < next_failure_) return;
  told_failures_ = failed;
  next_failure_ = now + kPause;
  if (study_.on_failure) failure(summary());
}

void Notices::failure(const nlohmann::json& summary) {
  if (study_.on_failure) tell("failure", *study_.on_failure, summary);
}

void Notices::end(const nlohmann::json& summary) {
  if (study_.on_end) tell("end", *study_.on_end, summary);
}

// The program finds the database as `windrow` commands do.
void Notices::tell(const char* event, const sweeps::Notice& whom, nlohmann::json what) {
  what["event"] = event;
  what["database"] = database_;
  what["host"] = storage::this_process().host;
  std::vector<std::string> argv = {"env", "WINDROW_DB=" + database_};
  if (whom.url.empty())
    argv.insert(argv.end(), whom.command.begin(), whom.command.end());
  else
    argv.insert(argv.end(), {"curl", "--silent", "--show-error", "--fail", "--max-time", "20",
                             "--header", "Content-Type: application/json", "--data-binary", "@-",
                             "--output", "/dev/null", whom.url});
  const std::string name = std::string("on_") + event;
  const std::string text =
      what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  telling_.push_back(
      std::async(std::launch::async, [name, argv, text] { return run_notice(name, argv, text); }));
}

void Notices::reap(bool wait) {
  std::erase_if(telling_, [&](std::future<std::string>& one) {
    if (!wait && one.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
    if (const std::string fault = one.get(); !fault.empty()) log_("warning", fault);
    return true;
  });
}

}  // namespace windrow
