// Names that SQLite takes for something else than a file that stays.
#pragma once

#include <string>

namespace windrow::storage {

// Why results can't be kept under this name, with the remedy; "" where they can.
std::string file_name_fault(const std::string& name);

}  // namespace windrow::storage
