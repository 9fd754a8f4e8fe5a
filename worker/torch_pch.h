// Precompiled: what most files here need of ATen, and JSON. The operators have headers of their own
// (ATen/ops/), which each file names.
#pragma once

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>
