#include "orchestrator/control/run_json.h"

namespace windrow::control {
namespace {

using nlohmann::json;

json slot_json(const SlotView& slot) {
  json out{{"host", slot.host},
           {"device", slot.device},
           {"what", slot.what},
           {"epoch", slot.epoch},
           {"epochs", slot.epochs}};
  if (slot.trial) out["trial"] = slot.trial->value;
  return out;
}

SlotView slot_view_of(const json& json) {
  SlotView slot{.host = json.at("host"),
                .device = json.at("device"),
                .trial = {},
                .what = json.at("what"),
                .epoch = json.at("epoch"),
                .epochs = json.at("epochs")};
  if (const auto trial = json.find("trial"); trial != json.end()) slot.trial = TrialId{*trial};
  return slot;
}

}  // namespace

json to_json(const RunView& view) {
  json slots = json::array();
  for (const SlotView& slot : view.slots) slots.push_back(slot_json(slot));
  json out{{"study", view.study},
           {"trials", view.trials},
           {"finished", view.finished},
           {"failed", view.failed},
           {"running", view.running},
           {"epochs_done", view.epochs_done},
           {"trials_done", view.trials_done},
           {"waiting_stages", view.waiting_stages},
           {"short_stages", view.short_stages},
           {"slots", slots},
           {"stopping", view.stopping}};
  if (view.seconds_left) out["seconds_left"] = *view.seconds_left;
  return out;
}

RunView run_view_of(const json& json) {
  RunView view;
  json.at("study").get_to(view.study);
  json.at("trials").get_to(view.trials);
  json.at("finished").get_to(view.finished);
  json.at("failed").get_to(view.failed);
  json.at("running").get_to(view.running);
  json.at("epochs_done").get_to(view.epochs_done);
  json.at("trials_done").get_to(view.trials_done);
  json.at("waiting_stages").get_to(view.waiting_stages);
  json.at("short_stages").get_to(view.short_stages);
  json.at("stopping").get_to(view.stopping);
  for (const auto& slot : json.at("slots")) view.slots.push_back(slot_view_of(slot));
  if (const auto left = json.find("seconds_left"); left != json.end())
    view.seconds_left = left->get<double>();
  return view;
}

json to_json(const storage::ResultTable& table) {
  json rows = json::array();
  for (const auto& row : table.rows) {
    json& out = rows.emplace_back(json::array());
    for (const storage::Value& value : row)
      std::visit(
          [&](const auto& v) {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>)
              out.push_back(nullptr);
            else
              out.push_back(v);
          },
          value);
  }
  return {{"columns", table.columns}, {"rows", rows}};
}

storage::ResultTable table_of(const json& json) {
  storage::ResultTable table;
  json.at("columns").get_to(table.columns);
  for (const auto& row : json.at("rows")) {
    auto& out = table.rows.emplace_back();
    for (const auto& value : row) {
      if (value.is_number_integer())
        out.emplace_back(value.get<std::int64_t>());
      else if (value.is_number())
        out.emplace_back(value.get<double>());
      else if (value.is_string())
        out.emplace_back(value.get<std::string>());
      else if (value.is_boolean())
        out.emplace_back(value.get<bool>());
      else
        out.emplace_back();
    }
    out.resize(table.columns.size());
  }
  return table;
}

}  // namespace windrow::control
