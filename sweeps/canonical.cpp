#include "sweeps/canonical.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "protocol/hash.h"
#include "protocol/lines.h"

namespace windrow::sweeps {
namespace {

void append_integer(std::int64_t value, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_number(double value, std::string& out) {
  // Beyond 2^53 a double stands for several integers.
  if (value == std::floor(value) && std::abs(value) < 9007199254740992.0)
    return append_integer(static_cast<std::int64_t>(value), out);
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// Most strings need no escapes, and JSON's writer is slow to start.
void append_string(const std::string& value, std::string& out) {
  const bool is_plain = std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (is_plain)
    (out += '"').append(value) += '"';
  else
    out += Json(value).dump();
}

// Keys that came later are there only where they say something, so that older hashes stay.
Json to_json(const protocol::TrainerSettings& trainer) {
  // In the hash the default is what it was at first.
  const bool by_default = trainer.ready_seconds == protocol::TrainerSettings{}.ready_seconds;
  Json json = {{"command", trainer.command},
               {"persistent", trainer.persistent || trainer.command.empty()},
               {"ready_seconds", by_default ? 60.0 : trainer.ready_seconds},
               {"hang_seconds", trainer.hang_seconds}};
  if (trainer.arguments != protocol::Arguments::words)
    json["arguments"] = protocol::to_string(trainer.arguments);
  if (trainer.reports_nothing) json["reports"] = "nothing";
  if (trainer.gang > 1) json["gang"] = trainer.gang;
  if (!trainer.files.empty()) json["files"] = trainer.files;
  if (!trainer.freeze.empty()) json["freeze"] = trainer.freeze;
  return json;
}

Json to_json(const Stage& stage) {
  Json json = {{"name", stage.name},
               {"parameters", stage.parameters},
               {"cases", stage.cases},
               {"case_keys", stage.case_keys}};
  Json& grid = json["grid"] = Json::array();
  for (const auto& [key, values] : stage.grid) grid.push_back({key, values});
  for (const auto& group : stage.zips) {
    Json& zip = json["zip"].emplace_back(Json::array());
    for (const auto& [key, values] : group) zip.push_back({key, values});
  }
  for (const Condition& rule : stage.when) json["when"].push_back({rule.parameter, rule.values});
  if (!stage.exclude.empty()) json["exclude"] = stage.exclude;
  if (stage.best)
    json["best"] = {{"count", stage.best->count},
                    {"of", stage.best->of},
                    {"by", stage.best->by},
                    {"goal", stage.best->goal == protocol::Goal::minimize ? "min" : "max"},
                    {"take", stage.best->take}};
  if (stage.best && !stage.best->despite.empty()) {
    std::vector<std::string_view> names;
    for (const auto kind : stage.best->despite) names.push_back(protocol::to_string(kind));
    std::ranges::sort(names);
    json["best"]["despite"] = names;
  }
  return json;
}

Json to_json(const Report& report) {
  Json json = {
      {"sort_by", report.sort_by}, {"descending", report.descending}, {"caption", report.caption}};
  Json& columns = json["columns"] = Json::array();
  for (const ReportColumn& column : report.columns) {
    columns.push_back({column.key, column.label});
    if (column.last_epochs > 0) columns.back().push_back(column.last_epochs);
  }
  // Only where given, so that reports without them keep their hash.
  if (report.compare)
    json["compare"] = {{"metric", report.compare->metric},
                       {"goal", report.compare->goal == protocol::Goal::minimize ? "min" : "max"}};
  for (const Finding& finding : report.findings) json["findings"].push_back(to_json(finding));
  if (report.figures) {
    Json& figures = json["figures"] = Json::array();
    for (const Figure& figure : *report.figures) figures.push_back(to_json(figure));
  }
  return json;
}

}  // namespace

void append_canonical(const Json& value, std::string& out) {
  if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) {
      if (!first) out += ',';
      first = false;
      append_string(key, out);
      out += ':';
      append_canonical(member, out);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append_canonical(value[i], out);
    }
    out += ']';
  } else if (value.is_number_float()) {
    append_number(value.get<double>(), out);
  } else if (value.is_number_integer()) {
    append_integer(value.get<std::int64_t>(), out);
  } else if (value.is_string()) {
    append_string(value.get_ref<const std::string&>(), out);
  } else {
    out += value.dump();
  }
}

std::string canonical(const Json& value) {
  std::string out;
  append_canonical(value, out);
  return out;
}

std::string study_hash(const Study& study) {
  Json json = {{"study", study.name},
               {"task", study.task},
               {"trainer", to_json(study.trainer)},
               {"parameters", study.parameters},
               {"seeds", study.seeds},
               {"report", to_json(study.report)}};
  if (study.early_stopping) json["early_stopping"] = protocol::to_json(*study.early_stopping);
  if (!study.budget.empty()) json["trainer"]["budget"] = study.budget;
  if (study.kept) json["keep"] = {static_cast<int>(study.kept->keep), study.kept->count};
  const auto add_notice = [&](const char* key, const std::optional<Notice>& notice) {
    if (notice) json[key] = notice->url.empty() ? Json(notice->command) : Json(notice->url);
  };
  add_notice("on_end", study.on_end);
  add_notice("on_failure", study.on_failure);
  Json& stages = json["stages"] = Json::array();
  for (const Stage& stage : study.stages) stages.push_back(to_json(stage));
  return protocol::content_hash(canonical(json));
}

CellHasher::CellHasher(const Study& study) {
  head_ = '{';
  if (study.early_stopping)
    head_ += "\"early_stopping\":" + canonical(protocol::to_json(*study.early_stopping)) + ",";
  head_ += "\"parameters\":";
  tail_ = ",\"task\":" + Json(study.task).dump() + "}";
}

std::string CellHasher::hash(const Json& identity) {
  text_ = head_;
  append_canonical(identity, text_);
  text_ += tail_;
  return protocol::content_hash(text_).substr(0, 16);
}

}  // namespace windrow::sweeps
