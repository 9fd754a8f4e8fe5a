// A short study that tries what a long one will train: before the queue, not after it.
#pragma once

#include <vector>

#include "sweeps/study.h"

namespace windrow::sweeps {

// Cells in which each value of each varying parameter occurs (of numbers with more than four values
// the smallest and the largest), the costliest first; stages that wait for results are left out.
std::vector<Cell> smoke_cells(const Study& study, const Expansion& expansion);

// These cells as a study of their own: the first seed, one epoch where the budget is known (of few
// steps where the task counts them), nothing kept and nobody told. Cells that are then the same
// occur once.
Study smoke_study(const Study& study, const std::vector<Cell>& cells);

// Seconds that an epoch of a cell with these parameters may take, by what was measured: of the cell
// that is most like it, by what the task says that each costs.
struct Measured {
  Json parameters;
  double epoch_seconds = 0;
};
double epoch_seconds_like(const Study& study, const Json& parameters,
                          const std::vector<Measured>& measured);

}  // namespace windrow::sweeps
