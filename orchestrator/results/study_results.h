// A study's results out of the database, for tables, findings and reports.
#pragma once

#include "orchestrator/analysis/results.h"
#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow {

// The cells that the study has by now, with a trial for each of its seeds. `with_confusion`: reads
// the trials' confusion matrices too.
analysis::StudyResults load_results(storage::Reader& reader, const sweeps::Study& study,
                                    bool with_confusion = false);
// The same from the study's expansion and its rows of `trials`, which the caller has.
analysis::StudyResults results_from(const sweeps::Expansion& expansion,
                                    const storage::ResultTable& trials, storage::Reader& reader,
                                    const sweeps::Study& study, bool with_confusion = false);

}  // namespace windrow
