// What a selection ranks cells by.
#pragma once

#include <map>
#include <string>

namespace windrow::storage {

// Of each cell, by hash: metric to mean.
using CellMeans = std::map<std::string, std::map<std::string, double>>;

}  // namespace windrow::storage
