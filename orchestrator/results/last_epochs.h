// Columns of a report that are means over trials' last epochs: no view has them.
#pragma once

#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow {

// The column's key in the tables below; that of the view where it is no such column.
std::string table_key(const sweeps::ReportColumn& column);

// Adds the column, where it is one, to the rows of `trials`, and its mean and half-width to those
// of `summary`. A trial that isn't finished, and one without such an epoch, has none.
void add_last_epochs(const sweeps::ReportColumn& column, const std::string& study,
                     storage::Reader& reader, storage::StudyTables& tables);

}  // namespace windrow
