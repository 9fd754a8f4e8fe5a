// For the files that define a task: its function is declared in registry.cpp's list.
#pragma once

#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {

// Integer parameters are held in 32-bit integers by the trainer.
inline constexpr double kIntegerMaximum = 2147483647;

}  // namespace windrow::sweeps
