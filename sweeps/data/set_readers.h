// For the files that read one format of sets.
#pragma once

#include "sweeps/data/csv.h"
#include "sweeps/data/set_file.h"

namespace windrow::sweeps {

SetData read_set_csv(const SetFile& from);
SetData read_set_npy(const SetFile& from);

bool fits_float(double value);

// Throws DataFileError where one of the columns in `features` is an index, not a feature: an
// unnamed first column (as pandas writes its index), one named index or Unnamed: 0, or one that
// counts the rows from 0 or 1.
void refuse_index_columns(const CsvTable& table, const std::vector<std::int64_t>& features);

}  // namespace windrow::sweeps
