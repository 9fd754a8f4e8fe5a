#include "tests/simulation/shared_folder.h"

#include <utility>

namespace windrow::simulation {

bool SharedFolder::holds_files(const std::string& folder) const {
  const auto found = folders_.find(folder);
  return found != folders_.end() && !found->second.empty();
}

void SharedFolder::remove(const std::string& folder) {
  folders_.erase(folder);
  removed_.insert(folder);
}

bool SharedFolder::lock(const std::string& file, int record, Holder holder,
                        std::function<void()> taken) {
  Lock& lock = locks_[{file, record}];
  if (lock.holder == 0 || lock.holder == holder) {
    lock.holder = holder;
    taken();
    return true;
  }
  lock.waiting.emplace_back(holder, std::move(taken));
  return false;
}

void SharedFolder::unlock(Holder holder) {
  std::vector<std::function<void()>> told;
  for (auto& [place, lock] : locks_) {
    std::erase_if(lock.waiting, [&](const auto& one) { return one.first == holder; });
    if (lock.holder != holder) continue;
    lock.holder = 0;
    if (lock.waiting.empty()) continue;
    lock.holder = lock.waiting.front().first;
    told.push_back(std::move(lock.waiting.front().second));
    lock.waiting.pop_front();
  }
  for (const auto& taken : told) taken();
}

}  // namespace windrow::simulation
