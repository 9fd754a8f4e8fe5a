// What a report's page says, gathered from the database and the study.
#pragma once

#include <string>

#include "orchestrator/report/page.h"
#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow::report {

// `study`: the stored study, perhaps with another `report`; `database` names the file on the page.
report::PageContent report_content(storage::Reader& reader, const storage::StudyInfo& stored,
                                   const sweeps::Study& study, const std::string& database);

}  // namespace windrow::report
