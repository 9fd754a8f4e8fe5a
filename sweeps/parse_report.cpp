#include <algorithm>
#include <limits>

#include "protocol/nearest.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kColumnsExample =
    "a list such as [lr, {key: val_loss, label: Loss}], or a map such as {lr: Rate}";

// The columns of the view `trials` that every study has; see docs/database.md.
const std::vector<std::string> kTrialColumns = {"trial",        "study",   "stages",   "cell",
                                                "seed",         "state",   "attempts", "epochs",
                                                "wall_seconds", "failure", "host",     "device"};

// All that a column of a shipped task's report can be.
std::vector<std::string> known_columns(const TaskSpec& task) {
  std::vector<std::string> names = task.parameter_names();
  for (const std::string& name : task.metric_names()) names.push_back(name);
  for (const MetricSpec& fact : task.facts) names.push_back(fact.name);
  names.insert(names.end(), kTrialColumns.begin(), kTrialColumns.end());
  return names;
}

// Where a parameter or metric has the name of another column, the views add these to it.
std::string_view base_name(std::string_view key) {
  for (const std::string_view suffix : {"_parameter", "_metric"})
    if (key.ends_with(suffix)) return key.substr(0, key.size() - suffix.size());
  return key;
}

class ColumnsReader {
 public:
  ColumnsReader(const TaskSpec* task, Faults& faults) : faults_(faults) {
    if (task) known_ = known_columns(*task);
  }

  void read(const YamlNode& node, std::vector<ReportColumn>& columns) {
    if (node.kind == YamlNode::Kind::map) {
      for_each_entry(node, "columns", kColumnsExample, faults_, [&](const YamlEntry& entry) {
        if (const auto label = read_text(entry.value, entry.key.text, faults_))
          add(entry.key, {entry.key.text, *label}, columns);
      });
    } else if (node.kind == YamlNode::Kind::sequence) {
      for (const YamlNode& item : node.items) read_item(item, columns);
    } else {
      faults_.add(node.place, "columns",
                  describe(node) + " is no list; give " + std::string(kColumnsExample));
      return;
    }
    if (node.items.empty() && node.entries.empty())
      faults_.add(node.place, "columns",
                  "it is empty; give " + std::string(kColumnsExample) + ", or remove the key");
  }

  void check(const YamlNode& node, const std::string& key) {
    if (known_.empty() || std::ranges::find(known_, base_name(key)) != known_.end()) return;
    faults_.add(node.place, key,
                "is no parameter or metric of the task and no column of the view trials; " +
                    suggestion(key, known_));
  }

 private:
  void read_item(const YamlNode& item, std::vector<ReportColumn>& columns) {
    if (item.kind != YamlNode::Kind::map) {
      if (const auto key = read_text(item, "columns", faults_)) add(item, {*key, *key}, columns);
      return;
    }
    const SectionReader reader(item, Section::column, "columns", faults_);
    ReportColumn column;
    reader.text("key", column.key);
    column.label = column.key;
    reader.text("label", column.label);
    reader.integer("last_epochs", 1, std::numeric_limits<int>::max(), column.last_epochs);
    if (const YamlNode* key = reader.find("key"); key && !column.key.empty())
      add(*key, column, columns);
  }

  void add(const YamlNode& node, const ReportColumn& column, std::vector<ReportColumn>& columns) {
    check(node, column.key);
    const auto is_it = [&](const ReportColumn& other) {
      return other.key == column.key && other.last_epochs == column.last_epochs;
    };
    if (std::ranges::any_of(columns, is_it))
      faults_.add(node.place, column.key, "the column is given twice; remove one");
    columns.push_back(column);
  }

  std::vector<std::string> known_;
  Faults& faults_;
};

}  // namespace

void check_report_metric(const std::string& name, Place place, std::string_view key,
                         const TaskSpec* task, Faults& faults) {
  if (!task) return;
  std::vector<std::string> known = task->metric_names();
  for (const MetricSpec& fact : task->facts) known.push_back(fact.name);
  known.insert(known.end(), {"epochs", "wall_seconds"});
  if (std::ranges::find(known, base_name(name)) == known.end())
    faults.add(
        place, key,
        Json(name).dump() + " is no metric of task " + task->name + "; " + suggestion(name, known));
}

namespace {

void read_compare(const YamlNode& node, const TaskSpec* task, Faults& faults, Report& report) {
  const SectionReader reader(node, Section::compare, "compare", faults);
  if (!reader.is_map()) return;
  ReportComparison& compare = report.compare.emplace();
  reader.text("metric", compare.metric);
  reader.goal("goal", compare.goal);
  if (const YamlNode* metric = reader.find("metric"); metric && !compare.metric.empty())
    check_report_metric(compare.metric, metric->place, "metric", task, faults);
}

void check_sort(const YamlNode& sort_by, ColumnsReader& columns, Faults& faults,
                const Report& report) {
  if (report.columns.empty()) {
    columns.check(sort_by, report.sort_by);
  } else if (std::ranges::find(report.columns, report.sort_by, &ReportColumn::key) ==
             report.columns.end()) {
    std::vector<std::string> keys;
    for (const ReportColumn& column : report.columns) keys.push_back(column.key);
    faults.add(sort_by.place, "sort_by",
               Json(report.sort_by).dump() + " is none of the columns; " +
                   suggestion(report.sort_by, keys));
  }
}

}  // namespace

void read_report(const YamlNode& node, StudySource& source, Faults& faults) {
  Report& report = source.study.report;
  const SectionReader reader(node, Section::report, "report", faults);
  if (!reader.is_map()) return;
  ColumnsReader columns(source.task, faults);
  if (const YamlNode* list = reader.find("columns")) columns.read(*list, report.columns);
  reader.text("sort_by", report.sort_by);
  reader.boolean("descending", report.descending);
  reader.text("caption", report.caption);
  if (const YamlNode* sort_by = reader.find("sort_by"); sort_by && !report.sort_by.empty())
    check_sort(*sort_by, columns, faults, report);
  if (const YamlNode* compare = reader.find("compare"))
    read_compare(*compare, source.task, faults, report);
  if (const YamlNode* findings = reader.find("findings"))
    read_findings(*findings, source, faults, report.findings);
  if (const YamlNode* figures = reader.find("figures"))
    report.figures = read_figures(*figures, source, faults);
}

}  // namespace windrow::sweeps
