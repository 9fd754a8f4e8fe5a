// Which study of a database a command is about.
#pragma once

#include <string>

#include "storage/reader.h"

namespace windrow::commands {

// The study so named or, for "", the only one. Throws storage::StorageError: the database holds
// none, no such one, or several; the message lists those there are.
storage::StudyInfo stored_study(storage::Reader& reader, const std::string& database,
                                const std::string& name);

}  // namespace windrow::commands
