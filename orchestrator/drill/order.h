// What the drill and its trainers tell each other, by files in the fault's folder, which all hosts
// share: the order to do a deed, what was done, which epochs were begun, and who still runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/drill/fault.h"

namespace windrow::drill {

struct Order {
  Deed deed = Deed::kill_trainer;
  Where where = Where::any_rank;
  double seconds = 0;  // of a pause
};

struct Done {
  std::int64_t at_ms = 0;  // Unix time, by the clock of its host
  std::int64_t trial = 0;
  int attempt = 0;
  std::string host;
};

void give_order(const std::filesystem::path& folder, const Order& order);
// nullopt: there is none, or it was taken.
std::optional<Order> see_order(const std::filesystem::path& folder);
// True for one of all processes that try, and once.
bool take_order(const std::filesystem::path& folder);
void write_done(const std::filesystem::path& folder, const Done& done);
std::optional<Done> read_done(const std::filesystem::path& folder);

// Each process has files of its own, by its host and pid.
void note_epoch_begun(const std::filesystem::path& folder);
int count_epochs_begun(const std::filesystem::path& folder);

// A process that runs says so again and again; its names of those that still do, looked at twice.
std::filesystem::path beat_file(const std::filesystem::path& folder, const std::string& role);
std::vector<std::string> still_beating(const std::filesystem::path& folder);
inline constexpr int kBeatMilliseconds = 200;

}  // namespace windrow::drill
