// `windrow run --page FILE`: the study's report, replaced every so often while the run goes on, for
// a browser, scp, sshfs or an editor.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sweeps/study.h"

namespace windrow {

// In a thread of its own: the run waits for neither the disk nor the database. The last page, which
// no longer reloads itself, is written by the destructor.
class LivePage {
 public:
  using LogLine = std::function<void(const std::string& level, const std::string& text)>;

  // The study must outlive it. Throws std::runtime_error where the file can't be written.
  LivePage(std::filesystem::path file, std::filesystem::path database, const sweeps::Study& study,
           LogLine log);
  ~LivePage();
  LivePage(const LivePage&) = delete;
  LivePage& operator=(const LivePage&) = delete;

 private:
  void work();
  // What went wrong; "" = nothing.
  std::string write(bool live);

  const std::filesystem::path file_, database_;
  const sweeps::Study& study_;
  LogLine log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace windrow
