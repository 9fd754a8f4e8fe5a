// Which parameters a stage varies, and how many cells it can have. Internal to sweeps/.
#pragma once

#include "sweeps/study.h"

namespace windrow::sweeps {

// nullptr: there is none so named.
const Stage* find_stage(const Study& study, std::string_view name);

// What a selecting stage takes from the cells selected: `take`, or all that the other stage sweeps.
// Empty where the stage doesn't select, or from a stage that isn't before it.
std::vector<std::string> taken_parameters(const Study& study, const Stage& stage);

// In the order in which the expansion nests them: taken, those of the cases, the grid's axes.
std::vector<std::string> swept_parameters(const Study& study, const Stage& stage);

// The cells that the stage has at most (a double: products of long axes overflow integers).
double most_cells(const Study& study, const Stage& stage);

}  // namespace windrow::sweeps
