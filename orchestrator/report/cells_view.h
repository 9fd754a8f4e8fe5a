// The cells of a study as lines over parallel axes: parameters, then metrics.
#pragma once

#include <nlohmann/json.hpp>

#include "storage/reader.h"
#include "sweeps/study.h"

namespace windrow::report {

// For page/cells.js: {"axes": [{"key", "label", "values": [text, ...] or null, "log": bool}, ...],
// "cells": [[value, ...], ...], "goal": "min" or "max" of the last axis, "left_out": cells beyond
// the first 2000}. With `values` an axis has these places, from below, and a cell's value is one of
// their numbers; without, it is a number, null where there is none. Null where there is nothing to
// show: no parameter varies, or no cell has a finished trial.
nlohmann::json cells_view(storage::Reader& reader, const sweeps::Study& study);

}  // namespace windrow::report
