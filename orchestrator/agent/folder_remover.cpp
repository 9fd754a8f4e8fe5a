#include "orchestrator/agent/folder_remover.h"

#include <filesystem>
#include <system_error>

namespace windrow {

FolderRemover::~FolderRemover() {
  {
    const std::lock_guard guard(mutex_);
    leave_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void FolderRemover::remove(std::string folder) {
  {
    const std::lock_guard guard(mutex_);
    folders_.push_back(std::move(folder));
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

void FolderRemover::run() {
  std::unique_lock guard(mutex_);
  while (true) {
    changed_.wait(guard, [this] { return leave_ || !folders_.empty(); });
    if (folders_.empty()) return;
    const std::string folder = std::move(folders_.front());
    folders_.pop_front();
    guard.unlock();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    guard.lock();
  }
}

}  // namespace windrow
