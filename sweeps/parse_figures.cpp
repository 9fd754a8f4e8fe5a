// `figures:` of a study's report.
#include <algorithm>
#include <array>
#include <set>

#include "protocol/nearest.h"
#include "sweeps/stages.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kFiguresExample =
    "a list such as [{kind: curves, metric: loss}, {kind: scatter, x: parameters, y: loss}]";
constexpr auto kKinds = std::to_array<FigureKind>(
    {FigureKind::curves, FigureKind::confusion, FigureKind::class_accuracy, FigureKind::scatter});
// What every figure has; the rest depends on the kind.
constexpr auto kShared =
    std::to_array<std::string_view>({"name", "kind", "title", "stage", "where"});

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const FigureKind kind : kKinds) names.emplace_back(to_string(kind));
  return names;
}

// The names a figure may use; empty where the task doesn't say.
struct KnownNames {
  std::vector<std::string> epoch_metrics, numbers, groups;

  explicit KnownNames(const TaskSpec* task) {
    if (!task) return;
    for (const MetricSpec& metric : task->metrics) epoch_metrics.push_back(metric.name);
    numbers = task->metric_names();
    for (const MetricSpec& fact : task->facts) numbers.push_back(fact.name);
    groups = task->parameter_names();
    numbers.insert(numbers.end(), groups.begin(), groups.end());
    for (const char* column : {"epochs", "wall_seconds", "attempts", "seed"})
      numbers.emplace_back(column);
    groups.emplace_back("seed");
  }
};

class FigureReader {
 public:
  FigureReader(const StudySource& source, Faults& faults)
      : source_(source), known_(source.task), faults_(faults) {}

  void read(const YamlNode& node) {
    const SectionReader reader(node, Section::figure, "figures", faults_);
    if (!reader.is_map()) return;
    Figure figure;
    figure.name = "figure-" + std::to_string(figures_.size() + 1);
    reader.name("name", figure.name);
    if (!names_.insert(figure.name).second)
      faults_.add(reader.find("name") ? reader.find("name")->place : node.place, "name",
                  Json(figure.name).dump() + " is the name of an earlier figure; give another");
    const bool has_kind = read_kind(reader, figure.kind);
    reader.text("title", figure.title);
    read_stage_name(reader, figure.stage);
    if (const YamlNode* where = reader.find("where")) read_where(*where, figure.where);
    names(reader, "metric", known_.epoch_metrics, "a metric of the task's epochs", figure.metrics);
    names(reader, "by", known_.groups, "a parameter of the task, nor seed", figure.by);
    names(reader, "label", known_.groups, "a parameter of the task, nor seed", figure.label);
    number_column(reader, "x", figure.x);
    number_column(reader, "y", figure.y);
    reader.text("x_label", figure.x_label);
    reader.text("y_label", figure.y_label);
    reader.boolean("log_x", figure.log_x);
    reader.boolean("log_y", figure.log_y);
    if (has_kind) check_keys(node, reader, figure.kind);
    figures_.push_back(std::move(figure));
  }

  std::vector<Figure> take() { return std::move(figures_); }

 private:
  bool read_kind(const SectionReader& reader, FigureKind& out) {
    const YamlNode* node = reader.find("kind");
    if (!node) return false;
    const auto text = read_text(*node, "kind", faults_);
    if (!text) return false;
    for (const FigureKind kind : kKinds)
      if (*text == to_string(kind)) {
        out = kind;
        return true;
      }
    faults_.add(node->place, "kind",
                Json(*text).dump() + " is no kind of figure; " + suggestion(*text, kind_names()));
    return false;
  }

  void read_stage_name(const SectionReader& reader, std::string& out) {
    reader.text("stage", out);
    if (out.empty() || find_stage(source_.study, out)) return;
    std::vector<std::string> names;
    for (const Stage& stage : source_.study.stages) names.push_back(stage.name);
    faults_.add(reader.find("stage")->place, "stage",
                "there is no stage " + Json(out).dump() + "; " + suggestion(out, names));
  }

  void read_where(const YamlNode& node, Json& out) {
    ParameterReader parameters(source_.task, source_.task || source_.study.task.empty(), faults_);
    for_each_entry(node, "where",
                   "parameters with a value or a list of values, for example {lr: 0.1}", faults_,
                   [&](const YamlEntry& entry) {
                     if (!parameters.name(entry.key)) return;
                     Json values = Json::array();
                     const bool is_list = entry.value.kind == YamlNode::Kind::sequence;
                     if (is_list && entry.value.items.empty())
                       faults_.add(entry.value.place, entry.key.text,
                                   "the list is empty; give a value, or remove the key");
                     const auto add = [&](const YamlNode& value) {
                       if (auto read = parameters.value(entry.key.text, value))
                         values.push_back(*read);
                     };
                     if (is_list)
                       for (const YamlNode& item : entry.value.items) add(item);
                     else
                       add(entry.value);
                     out[entry.key.text] = std::move(values);
                   });
  }

  // A name, or a list of names.
  void names(const SectionReader& reader, std::string_view key,
             const std::vector<std::string>& known, std::string_view what,
             std::vector<std::string>& out) {
    const YamlNode* node = reader.find(key);
    if (!node) return;
    const auto add = [&](const YamlNode& item) {
      const auto name = read_text(item, key, faults_);
      if (!name) return;
      if (std::ranges::find(out, *name) != out.end())
        faults_.add(item.place, key, Json(*name).dump() + " stands twice in the list; remove one");
      check(item, key, *name, known, what);
      out.push_back(*name);
    };
    if (node->kind != YamlNode::Kind::sequence) return add(*node);
    if (node->items.empty())
      faults_.add(node->place, key, "the list is empty; give a name, or remove the key");
    for (const YamlNode& item : node->items) add(item);
  }

  void number_column(const SectionReader& reader, std::string_view key, std::string& out) {
    reader.text(key, out);
    if (out.empty()) return;
    check(*reader.find(key), key, out, known_.numbers,
          "a parameter, a metric or a number of the view trials");
  }

  void check(const YamlNode& node, std::string_view key, const std::string& name,
             const std::vector<std::string>& known, std::string_view what) {
    std::string_view base = name;
    for (const std::string_view suffix : {"_parameter", "_metric"})
      if (base.ends_with(suffix)) base.remove_suffix(suffix.size());
    if (known.empty() || std::ranges::find(known, base) != known.end()) return;
    faults_.add(
        node.place, key,
        Json(name).dump() + " is not " + std::string(what) + "; " + suggestion(name, known));
  }

  // What the kind needs must be there, and what it doesn't use must not.
  void check_keys(const YamlNode& node, const SectionReader& reader, FigureKind kind) {
    const std::string what = "a figure of kind " + std::string(to_string(kind));
    const auto used = keys_of(kind);
    for (const std::string& key : key_names(Section::figure)) {
      const YamlEntry* entry = reader.entry(key);
      if (!entry || std::ranges::find(kShared, key) != kShared.end() ||
          std::ranges::find(used, key) != used.end())
        continue;
      faults_.add(entry->key.place, key, what + " has no such key; remove it");
    }
    const auto require = [&](const char* key) {
      if (!reader.entry(key))
        faults_.add(node.place, "figures",
                    what + " needs the key " + std::string(key) + "; give it");
    };
    if (kind == FigureKind::curves) require("metric");
    if (kind == FigureKind::scatter) require("x");
    if (kind == FigureKind::scatter) require("y");
  }

  const StudySource& source_;
  KnownNames known_;
  Faults& faults_;
  std::vector<Figure> figures_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<Figure> read_figures(const YamlNode& node, const StudySource& source, Faults& faults) {
  if (node.kind != YamlNode::Kind::sequence) {
    faults.add(node.place, "figures",
               describe(node) + " is no list; give " + std::string(kFiguresExample));
    return {};
  }
  FigureReader reader(source, faults);
  for (const YamlNode& item : node.items) reader.read(item);
  return reader.take();
}

}  // namespace windrow::sweeps
