// A store in a folder of its own, and waiting for its futures.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "storage/reader.h"
#include "storage/store.h"
#include "sweeps/study.h"

namespace windrow {

class StoreFolder {
 public:
  StoreFolder() {
    std::string pattern = testing::TempDir() + "coordinator-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~StoreFolder() { std::filesystem::remove_all(folder_); }
  std::filesystem::path file() const { return folder_ / "w.db"; }
  // A query's rows, one text each, with "|" between the values.
  std::vector<std::string> rows(const std::string& sql) const {
    std::vector<std::string> lines;
    for (const auto& row : storage::Reader(file()).query(sql).rows) {
      std::string line;
      for (const auto& value : row) {
        if (!line.empty()) line += '|';
        if (const auto* text = std::get_if<std::string>(&value)) line += *text;
        if (const auto* number = std::get_if<std::int64_t>(&value)) line += std::to_string(*number);
        if (const auto* real = std::get_if<double>(&value)) line += std::to_string(*real);
      }
      lines.push_back(line);
    }
    return lines;
  }

 private:
  std::filesystem::path folder_;
};

// The store's writer is a thread: what it does for a future is waited for.
inline void poll_until(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("never: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

inline sweeps::Study own_study(const std::string& rest) {
  return sweeps::parse_study("study: s\ntrainer: {command: [train], persistent: true}\n" + rest,
                             "s.yaml");
}

}  // namespace windrow
