// Where workers find a run: DATABASE.door, which its owner alone can read.
#pragma once

#include <filesystem>
#include <optional>

#include "orchestrator/transport/door.h"

namespace windrow::control {

std::filesystem::path door_file(const std::filesystem::path& database);
// Throws std::runtime_error. The file can be read by its owner only, from its first byte on.
void write_door_file(const std::filesystem::path& file, const DoorCard& card);
// nullopt: there is none. Throws std::runtime_error where it can't be read.
std::optional<DoorCard> read_door_file(const std::filesystem::path& file);

}  // namespace windrow::control
