// Which study of a database a command is about.
#pragma once

#include <string>

#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow {

// The study so named or, for "", the only one. Throws storage::StorageError: the database holds
// none, no such one, or several; the message lists those there are.
storage::StudyInfo stored_study(storage::Reader& reader, const std::string& database,
                                const std::string& name);

// A path, or a name that ends in .yaml or .yml; else it is a study's name.
bool is_study_file(const std::string& name);

// The same, parsed. `name` may be a study file too: then it is the database's study of the file's
// name, with the report that the file has now.
sweeps::Study reported_study(storage::Reader& reader, const std::string& database,
                             const std::string& name);

}  // namespace windrow
