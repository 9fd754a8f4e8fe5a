// Removes folders in a thread of its own: a slow disk does not keep the loop from its messages.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace windrow {

class FolderRemover {
 public:
  FolderRemover() = default;
  ~FolderRemover();  // what was asked for is done before it returns
  FolderRemover(const FolderRemover&) = delete;
  FolderRemover& operator=(const FolderRemover&) = delete;

  void remove(std::string folder);  // with all that is in it; errors are of no consequence

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> folders_;
  bool leave_ = false;
  std::thread thread_;  // started with the first folder
};

}  // namespace windrow
