// Whose a folder of checkpoints is. A copy of a database bears its id: trained in the same folder,
// the trials that both of them begin under one number would find each other's state.
#pragma once

#include <filesystem>
#include <optional>

namespace windrow {

// The database that trains in `root`, where `database` is a copy of it: another file of the same id
// that is still there, or a database that can't be read now and may have it. nullopt: `root` is
// free, or `database` has been moved, or copied with `root`.
std::optional<std::filesystem::path> original_of(const std::filesystem::path& database,
                                                 const std::filesystem::path& root);

// `root`, which is made where it is missing, is this database's. Throws std::runtime_error where it
// can't be written.
void own_checkpoints(const std::filesystem::path& database, const std::filesystem::path& root);

}  // namespace windrow
