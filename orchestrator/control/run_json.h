// A run's view as JSON, and back: what the snapshot file holds.
#pragma once

#include <nlohmann/json.hpp>

#include "orchestrator/coordinator/coordinator.h"
#include "storage/result_table.h"

namespace windrow::control {

nlohmann::json to_json(const RunView& view);
// Throws nlohmann::json::exception where it has another form.
RunView run_view_of(const nlohmann::json& json);

nlohmann::json to_json(const storage::ResultTable& table);
storage::ResultTable table_of(const nlohmann::json& json);

}  // namespace windrow::control
