// Sets of items with a choice from a user's own file: .csv or .npy.
//
// A CSV file has a row a set or, where its header names a column `set`, a row an item:
//   a row a set    the features of item 1, of item 2, ..., then the choice: the chosen item's
//   number
//                  from 0, or a 0 or 1 for each item. A header is optional.
//   a row an item  the columns `set` (a number, the same for the rows of a set, which follow one
//                  another) and `choice` (1 for the chosen item, else 0), perhaps `item`, which is
//                  passed over; every other column is a feature.
// A .npy file has the features alone, [sets, items, features]; the choices are in another one:
// [sets] numbers of items from 0, or [sets, items] of 0 and 1.
//
// Read by the orchestrator, which refuses a bad file before anything starts, and by
// windrow-trainer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/data/data_file.h"

namespace windrow::sweeps {

struct SetFile {
  std::filesystem::path file;     // .csv or .npy
  std::filesystem::path choices;  // of an .npy file; "" with a .csv file
  std::int64_t items = 0;         // in a set; 0: as the file has it
  std::int64_t features = 0;      // of an item; 0: as the file has it
};

struct SetData {
  std::int64_t sets = 0, items = 0, features = 0;
  std::vector<float> x;              // [sets][items][features], all finite
  std::vector<std::int64_t> choice;  // [sets], 0 .. items-1
  std::string hash;                  // of x and choice: the same from any file format
};

// Throws DataFileError that names the file, the line or element, the value and what to do.
SetData read_set_file(const SetFile& from);

}  // namespace windrow::sweeps
