#include "sweeps/emit.h"

#include <algorithm>

#include "protocol/lines.h"
#include "sweeps/node_reader.h"
#include "sweeps/stages.h"

namespace windrow::sweeps {
namespace {

// A string is plain where YAML can't take it for anything else; JSON's quotes are YAML's too.
std::string scalar(const Json& value) {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    if (is_name(text) && plain_scalar_value(text).is_string()) return text;
  }
  return value.dump();
}

std::string flow(const Json& value) {
  if (!value.is_structured()) return scalar(value);
  std::string text;
  for (const auto& [key, member] : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += scalar(key) + ": ";
    text += flow(member);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

const char* to_string(protocol::Goal goal) {
  return goal == protocol::Goal::minimize ? "min" : "max";
}

std::string trainer_text(const Study& study) {
  const protocol::TrainerSettings& trainer = study.trainer;
  return "trainer:\n  command: " + flow(trainer.command) +
         "\n  persistent: " + flow(trainer.persistent) +
         "\n  arguments: " + std::string(protocol::to_string(trainer.arguments)) +
         (trainer.reports_nothing ? "\n  reports: nothing" : "") +
         (trainer.gang > 1 ? "\n  gang: " + std::to_string(trainer.gang) : "") +
         "\n  ready_seconds: " + flow(trainer.ready_seconds) +
         "\n  hang_seconds: " + flow(trainer.hang_seconds) +
         (trainer.files.empty() ? "" : "\n  files: " + flow(trainer.files)) +
         (trainer.freeze.empty() ? "" : "\n  freeze: " + flow(trainer.freeze)) +
         (study.budget.empty() ? "" : "\n  budget: " + flow(study.budget)) + "\n";
}

std::string seeds_text(const std::vector<std::int64_t>& seeds) {
  bool is_count = true;
  for (std::size_t i = 0; i < seeds.size(); ++i)
    is_count = is_count && seeds[i] == static_cast<std::int64_t>(i);
  return "seeds: " + (is_count ? std::to_string(seeds.size()) : flow(seeds)) + "\n";
}

std::string case_text(const Json& one, const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys)  // in the file's order, which a Json object has lost
    if (const auto found = one.find(key); found != one.end())
      text += (text.empty() ? "" : ", ") + scalar(key) + ": " + scalar(*found);
  return "- {" + text + "}\n";
}

std::string selection_text(const Selection& best) {
  std::string text = "best: {count: " + std::to_string(best.count) + ", of: " + scalar(best.of) +
                     ", by: " + scalar(best.by) + ", goal: " + to_string(best.goal);
  if (!best.take.empty()) text += ", take: " + flow(best.take);
  if (!best.despite.empty()) {
    std::vector<std::string> names;
    for (const auto kind : best.despite) names.emplace_back(protocol::to_string(kind));
    text += ", despite: " + flow(names);
  }
  return text + "}\n";
}

// What a stage and a study without stages have in common, each line after `indent`.
std::string sweep_text(const Stage& stage, const std::string& indent) {
  std::string text;
  if (stage.best) text += indent + selection_text(*stage.best);
  if (!stage.cases.empty()) {
    text += indent + "cases:\n";
    for (const Json& one : stage.cases) text += indent + "  " + case_text(one, stage.case_keys);
  }
  if (!stage.grid.empty()) {
    text += indent + "grid:\n";
    for (const auto& [key, values] : stage.grid)
      text += indent + "  " + scalar(key) + ": " + flow(values) + "\n";
  }
  if (!stage.zips.empty()) text += indent + "zip:\n";
  for (const auto& group : stage.zips) {
    std::string axes;
    for (const auto& [key, values] : group)
      axes += (axes.empty() ? "" : ", ") + scalar(key) + ": " + flow(values);
    text += indent + "  - {" + axes + "}\n";
  }
  if (!stage.when.empty()) text += indent + "when:\n";
  for (const Condition& rule : stage.when)
    text += indent + "  " + scalar(rule.parameter) + ": " + flow(rule.values) + "\n";
  if (!stage.exclude.empty()) text += indent + "exclude:\n";
  for (const Json& rule : stage.exclude) text += indent + "  - " + flow(rule) + "\n";
  return text;
}

std::string stages_text(const Study& study) {
  const Stage& first = study.stages.front();
  const std::vector<std::string> swept = swept_parameters(study, first);
  const auto is_fixed = [&](const std::string& key) { return study.parameters.contains(key); };
  // Without stages, a parameter that is fixed can't be swept too.
  if (study.stages.size() == 1 && first.name == "main" && first.parameters.empty() &&
      std::ranges::none_of(swept, is_fixed))
    return sweep_text(first, "");
  std::string text = "stages:\n";
  for (const Stage& stage : study.stages) {
    text += "  " + stage.name + ":\n";
    text += "    parameters: " + flow(stage.parameters) + "\n";
    text += sweep_text(stage, "    ");
  }
  return text;
}

std::string figures_text(const std::vector<Figure>& figures) {
  if (figures.empty()) return "  figures: []\n";
  std::string text = "  figures:\n";
  for (const Figure& figure : figures) text += "    - " + flow(to_json(figure)) + "\n";
  return text;
}

std::string report_text(const Report& report) {
  std::string text = "report:\n";
  if (!report.columns.empty()) {
    text += "  columns:\n";
    for (const ReportColumn& column : report.columns)
      text +=
          "    - {key: " + scalar(column.key) + ", label: " + scalar(column.label) +
          (column.last_epochs > 0 ? ", last_epochs: " + std::to_string(column.last_epochs) : "") +
          "}\n";
  }
  if (!report.sort_by.empty()) text += "  sort_by: " + scalar(report.sort_by) + "\n";
  text += "  descending: " + flow(report.descending) + "\n";
  if (!report.caption.empty()) text += "  caption: " + scalar(report.caption) + "\n";
  if (report.compare)
    text += "  compare: {metric: " + scalar(report.compare->metric) +
            ", goal: " + to_string(report.compare->goal) + "}\n";
  if (!report.findings.empty()) text += "  findings:\n";
  for (const Finding& finding : report.findings) text += "    - " + flow(to_json(finding)) + "\n";
  if (report.figures) text += figures_text(*report.figures);
  return text;
}

}  // namespace

std::string to_yaml(const Study& study) {
  std::string text = "study: " + study.name + "\n";
  text += study.task.empty() ? trainer_text(study) : "task: " + study.task + "\n";
  text += "parameters: " + flow(study.parameters) + "\n";
  text += seeds_text(study.seeds);
  if (study.early_stopping)
    text += "early_stopping: " + flow(protocol::to_json(*study.early_stopping)) + "\n";
  text += stages_text(study) + report_text(study.report);
  const auto add_notice = [&](const char* key, const std::optional<Notice>& notice) {
    if (notice)
      text += std::string(key) + ": " +
              (notice->url.empty() ? flow(notice->command) : scalar(notice->url)) + "\n";
  };
  if (study.kept) {
    const std::string names[] = {"none", "last", "best"};
    text += "keep: " + names[static_cast<int>(study.kept->keep)] + "\n";
    if (study.kept->count > 0) text += "keep_count: " + std::to_string(study.kept->count) + "\n";
  }
  add_notice("on_end", study.on_end);
  add_notice("on_failure", study.on_failure);
  return text;
}

}  // namespace windrow::sweeps
