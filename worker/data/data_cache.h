// Data that stay loaded from trial to trial, so that no trial copies or reads them again.
#pragma once

#include <any>
#include <list>
#include <memory>
#include <string>

namespace windrow::worker {

// Used by the training thread alone. Keeps the few data sets used last: trials of one study share
// one or two, and a sweep over data seeds must not fill the memory.
class DataCache {
 public:
  // The data of `key`, made by make() the first time. What make() throws goes through, and nothing
  // is kept then. A key stands for one type only.
  template <class T, class Make>
  std::shared_ptr<const T> get(const std::string& key, Make make) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->key != key) continue;
      entries_.splice(entries_.begin(), entries_, entry);
      return std::any_cast<std::shared_ptr<const T>>(entry->data);
    }
    while (entries_.size() >= kKept) entries_.pop_back();  // frees memory before it is needed
    auto data = std::make_shared<const T>(make());
    entries_.push_front({key, data});
    return data;
  }

 private:
  static constexpr std::size_t kKept = 4;
  struct Entry {
    std::string key;
    std::any data;  // std::shared_ptr<const T>
  };
  std::list<Entry> entries_;  // the last used one first
};

}  // namespace windrow::worker
