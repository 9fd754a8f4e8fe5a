// The state of the program's code under version control, read beside the run: git may be slow.
#pragma once

#include <chrono>
#include <filesystem>
#include <future>
#include <utility>

#include "orchestrator/origin/source_tree.h"
#include "storage/store.h"

namespace windrow {

class SourceWatch {
 public:
  explicit SourceWatch(std::filesystem::path folder) : folder_(std::move(folder)) { look(); }

  // Waits for what was begun, and records it.
  void record(storage::Store& store) {
    const origin::SourceTree tree = tree_.get();
    if (!tree.commit.empty())
      store.record(storage::SourceRecord{tree.commit, tree.dirty, tree.diff});
  }
  // Records what has been read meanwhile; `changed`: it is looked at anew.
  void tick(storage::Store& store, bool changed) {
    if (changed && !tree_.valid()) look();
    if (tree_.valid() && tree_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
      record(store);
  }

 private:
  void look() {
    tree_ = std::async(std::launch::async,
                       [folder = folder_] { return origin::read_source_tree(folder); });
  }

  std::filesystem::path folder_;
  std::future<origin::SourceTree> tree_;
};

}  // namespace windrow
