#include "orchestrator/session/live_page.h"

#include <algorithm>
#include <chrono>

#include "orchestrator/control/whole_file.h"
#include "orchestrator/report/page.h"
#include "orchestrator/report/report_content.h"
#include "orchestrator/results/stored_study.h"
#include "storage/reader.h"

namespace windrow {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kEvery{30};
constexpr int kShare = 20;  // at most one part in so many of the time is for the page

}  // namespace

LivePage::LivePage(std::filesystem::path file, std::filesystem::path database,
                   const sweeps::Study& study, LogLine log)
    : file_(std::filesystem::absolute(file)),
      database_(std::move(database)),
      study_(study),
      log_(std::move(log)) {
  const std::string fault = control::write_whole_file(
      file_, report::report_page({.study = study.name,
                                  .state = "the run has just begun",
                                  .study_text = study.text,
                                  .reload_seconds = static_cast<int>(kEvery.count())}));
  if (!fault.empty()) throw std::runtime_error(fault + "; name another file with --page");
  thread_ = std::thread([this] { work(); });
}

LivePage::~LivePage() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (const std::string fault = write(false); !fault.empty())
    log_("warning", "the page is not up to date: " + fault);
}

void LivePage::work() {
  std::unique_lock lock(mutex_);
  Clock::duration wait = std::chrono::seconds(2);  // till there is something to see
  while (!changed_.wait_for(lock, wait, [this] { return ending_; })) {
    lock.unlock();
    const auto begin = Clock::now();
    (void)write(true);  // the next try may do better
    wait = std::max<Clock::duration>(kEvery, kShare * (Clock::now() - begin));
    lock.lock();
  }
}

std::string LivePage::write(bool live) {
  try {
    storage::Reader reader(database_);
    report::PageContent content = report::report_content(
        reader, stored_study(reader, database_.string(), study_.name), study_, database_.string());
    if (live) content.reload_seconds = static_cast<int>(kEvery.count());
    return control::write_whole_file(file_, report::report_page(content));
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace windrow
