// The tables of a report: what `windrow table` prints, a table for each stage.
#pragma once

#include <vector>

#include "orchestrator/report/page.h"
#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow::commands {

// Without rows where nothing is finished yet; a column that no result has yet is said in a note.
std::vector<report::Block> result_blocks(storage::Reader& reader, const sweeps::Study& study);

}  // namespace windrow::commands
