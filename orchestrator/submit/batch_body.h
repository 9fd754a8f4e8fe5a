// slurm/windrow.sbatch, built into the program.
#pragma once

#include <string_view>

namespace windrow::submit {

extern const std::string_view batch_body;

}  // namespace windrow::submit
