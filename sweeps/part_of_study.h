// Some cells of a study as a study of their own.
#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/study.h"

namespace windrow::sweeps {

// Cells with these complete parameters, each once, and these seeds: trained as in the study, with
// nothing kept and nobody told.
Study part_of_study(const Study& study, const std::vector<Json>& parameters,
                    const std::vector<std::int64_t>& seeds);

}  // namespace windrow::sweeps
