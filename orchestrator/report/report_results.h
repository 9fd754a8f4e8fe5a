// The tables and findings of a report: what `windrow table` and `windrow findings` print.
#pragma once

#include <vector>

#include "orchestrator/report/page.h"
#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow::report {

// A table for each stage. Without rows where nothing is finished yet; a column that no result has
// so far is said in a note.
std::vector<report::Block> result_blocks(storage::Reader& reader, const sweeps::Study& study);

// A claim with its verdict, and the evidence folded beneath it.
// What the parameters make of the metric that the study is compared by, stage by stage; nothing
// where it is compared by none.
std::vector<report::Block> importance_blocks(storage::Reader& reader, const sweeps::Study& study);

std::vector<report::Block> finding_blocks(storage::Reader& reader, const sweeps::Study& study);

}  // namespace windrow::report
