// For the files that define a task: its function is declared in registry.cpp's list.
#pragma once

#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {

// Integer parameters are held in 32-bit integers by the trainer.
inline constexpr double kIntegerMaximum = 2147483647;

// `examples`: what a minibatch is of.
inline ParameterSpec shards_parameter(const std::string& examples) {
  return {.name = "shards",
          .type = ParameterType::integer,
          .help = "contiguous parts that each minibatch of " + examples +
                  " is cut into, trained as if alone and added up in a fixed order, so that how "
                  "many processes train them changes no bit",
          .default_value = 1,
          .minimum = 1,
          .maximum = 1024};
}

inline ParameterSpec precision_parameter(std::vector<std::string> choices) {
  return {.name = "precision",
          .type = ParameterType::string,
          .help =
              "of the arithmetic: float32 throughout; tf32 (a GPU's products round their inputs "
              "to 10 bits); bf16 (forward passes in bfloat16, weights and sums in float32). A "
              "device that can't is refused",
          .default_value = "float32",
          .choices = std::move(choices)};
}

}  // namespace windrow::sweeps
