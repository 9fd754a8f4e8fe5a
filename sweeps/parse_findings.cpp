#include <algorithm>

#include "protocol/nearest.h"
#include "sweeps/stages.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kFindingsExample =
    "a list of maps, for example [{claim: Adam is best, kind: best, metric: val_loss, parameter: "
    "optimizer, values: [adam]}]";

// The parameters that cells of the study can have.
std::vector<std::string> known_parameters(const StudySource& source) {
  if (source.task) return source.task->parameter_names();
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const auto& [name, value] : source.study.parameters.items()) add(name);
  for (const Stage& stage : source.study.stages) {
    for (const auto& [name, value] : stage.parameters.items()) add(name);
    for (const std::string& name : stage.case_keys) add(name);
    for (const GridAxis& axis : stage.grid) add(axis.first);
    for (const auto& group : stage.zips)
      for (const GridAxis& axis : group) add(axis.first);
  }
  return names;
}

class FindingReader {
 public:
  FindingReader(const StudySource& source, Faults& faults)
      : source_(source),
        parameters_(source.task, true, faults),
        names_(known_parameters(source)),
        faults_(faults) {}

  std::optional<Finding> read(const YamlNode& node) {
    const SectionReader reader(node, Section::finding, "findings", faults_);
    if (!reader.is_map()) return std::nullopt;
    reader_ = &reader;
    finding_ = {};
    reader.text("claim", finding_.claim);
    const YamlNode* kind = reader.find("kind");
    if (!kind || !read_kind(*kind)) return std::nullopt;
    check_keys(node);
    read_stage();
    read_metrics();
    reader.goal("goal", finding_.goal);
    read_parameter();
    read_direction();
    if (const YamlNode* cell = reader.find("cell")) read_cell(*cell, finding_.cell);
    reader.integer("first", 1, 2147483647, finding_.first);
    reader.integer("last", 1, 2147483647, finding_.last);
    if (finding_.first > 0 && finding_.last > 0)
      faults_.add(reader.entry("last")->key.place, "last",
                  "first is given too; keep one of the two, or make two findings");
    finding_.below = number("below");
    finding_.above = number("above");
    reader.not_negative("tolerance", finding_.tolerance);
    read_expected();
    read_classes();
    return finding_;
  }

 private:
  bool read_kind(const YamlNode& node) {
    std::vector<std::string> names;
    for (const FindingKindSpec& spec : finding_kinds()) {
      names.emplace_back(to_string(spec.kind));
      if (node.kind != YamlNode::Kind::scalar || node.text != names.back()) continue;
      finding_.kind = spec.kind;
      spec_ = &spec;
      return true;
    }
    faults_.add(node.place, "kind",
                describe(node) + " is no kind of finding; " + suggestion(node.text, names));
    return false;
  }

  void check_keys(const YamlNode& node) {
    std::vector<std::string> own = {"claim", "kind", "stage"};
    for (const auto* keys : {&spec_->required, &spec_->optional, &spec_->one_of})
      own.insert(own.end(), keys->begin(), keys->end());
    const std::string kind = to_string(spec_->kind);
    for (const YamlEntry& entry : node.entries) {
      const auto names = key_names(Section::finding);  // others are faults already
      if (std::ranges::find(names, entry.key.text) != names.end() &&
          std::ranges::find(own, entry.key.text) == own.end())
        faults_.add(entry.key.place, entry.key.text,
                    "a finding of kind " + kind + " has no such key; it has " + joined(own));
    }
    for (const std::string& key : spec_->required)
      if (!reader_->find(key))
        faults_.add(
            node.place, key,
            "the key is missing; a finding of kind " + kind + " needs " + joined(spec_->required));
    if (!spec_->one_of.empty() &&
        std::ranges::none_of(spec_->one_of, [&](const auto& key) { return reader_->find(key); }))
      faults_.add(node.place, "kind",
                  "a finding of kind " + kind + " needs " + joined(spec_->one_of, " or "));
  }

  void read_stage() {
    reader_->text("stage", finding_.stage);
    const YamlNode* node = reader_->find("stage");
    if (!node || find_stage(source_.study, finding_.stage)) return;
    std::vector<std::string> names;
    for (const Stage& stage : source_.study.stages) names.push_back(stage.name);
    faults_.add(node->place, "stage",
                "there is no stage " + describe(*node) + "; " + suggestion(finding_.stage, names));
  }

  void read_metrics() {
    const YamlNode* node = reader_->find("metric");
    if (!node) return;
    if (node->kind == YamlNode::Kind::sequence && node->items.empty())
      faults_.add(node->place, "metric", "the list is empty; give a metric");
    for_each_item(*node, [&](const YamlNode& item) {
      const auto name = read_text(item, "metric", faults_);
      if (!name) return;
      finding_.metrics.push_back(*name);
      check_report_metric(*name, item.place, "metric", source_.task, faults_);
    });
  }

  bool known_parameter(const YamlNode& node, const std::string& name) {
    if (std::ranges::find(names_, name) != names_.end()) return true;
    faults_.add(node.place, name,
                "is no parameter of the study's cells; " + suggestion(name, names_));
    return false;
  }

  void read_parameter() {
    reader_->text("parameter", finding_.parameter);
    const YamlNode* node = reader_->find("parameter");
    if (!node || !known_parameter(*node, finding_.parameter)) return;
    const auto one = [&](const char* key, std::optional<Json>& out) {
      if (const YamlNode* value = reader_->find(key))
        out = parameters_.value(finding_.parameter, *value);
    };
    one("higher", finding_.higher);
    one("lower", finding_.lower);
    if (finding_.higher && finding_.lower && *finding_.higher == *finding_.lower)
      faults_.add(reader_->find("lower")->place, "lower",
                  "is the same value as higher; change one");
    const YamlNode* values = reader_->find("values");
    if (!values) return;
    for_each_item(*values, [&](const YamlNode& item) {
      auto value = parameters_.value(finding_.parameter, item);
      if (!value) return;
      if (std::ranges::find(finding_.values, *value) != finding_.values.end())
        faults_.add(item.place, "values", value->dump() + " stands twice in the list; remove one");
      finding_.values.push_back(std::move(*value));
    });
    const std::size_t least = finding_.kind == FindingKind::best ? 1 : 2;
    if (values->kind == YamlNode::Kind::sequence && values->items.size() < least)
      faults_.add(values->place, "values",
                  "it has " + std::to_string(values->items.size()) + " values; give at least " +
                      std::to_string(least));
  }

  void read_direction() {
    const YamlNode* node = reader_->find("direction");
    if (!node) return;
    finding_.rising = node->text != "falling";
    if (node->text != "rising" && node->text != "falling")
      faults_.add(node->place, "direction",
                  describe(*node) + " is not allowed; give rising or falling");
  }

  void read_cell(const YamlNode& node, Json& cell) {
    const bool is_map =
        for_each_entry(node, "cell", "parameters with values, for example {lr: 0.1}", faults_,
                       [&](const YamlEntry& entry) {
                         if (!known_parameter(entry.key, entry.key.text)) return;
                         if (auto value = parameters_.value(entry.key.text, entry.value))
                           cell[entry.key.text] = std::move(*value);
                       });
    if (is_map && node.entries.empty())
      faults_.add(node.place, "cell", "it is empty; give parameters that pick the cell out");
  }

  std::optional<double> number(const char* key, const SectionReader* reader = nullptr) {
    const YamlNode* node = (reader ? reader : reader_)->find(key);
    if (!node) return std::nullopt;
    const auto value = read_scalar(*node, key, faults_, "give a number");
    if (value && value->is_number()) return value->get<double>();
    if (value) faults_.add(node->place, key, value->dump() + " is no number; give one");
    return std::nullopt;
  }

  void read_expected() {
    const YamlNode* node = reader_->find("expected");
    if (!node) return;
    if (node->kind != YamlNode::Kind::sequence || node->items.empty()) {
      faults_.add(node->place, "expected",
                  (node->kind == YamlNode::Kind::sequence ? "the list is empty"
                                                          : describe(*node) + " is no list") +
                      "; give cells with values, for example [{cell: {depth: 3}, value: 21001}]");
      return;
    }
    for (const YamlNode& item : node->items) {
      const SectionReader reader(item, Section::expected, "expected", faults_);
      ExpectedValue& expected = finding_.expected.emplace_back();
      expected.cell = Json::object();
      if (const YamlNode* cell = reader.find("cell")) read_cell(*cell, expected.cell);
      expected.value = number("value", &reader).value_or(0);
    }
  }

  void read_classes() {
    const YamlNode* node = reader_->find("classes");
    if (!node) return;
    for_each_item(*node, [&](const YamlNode& item) {
      if (const auto name = read_text(item, "classes", faults_)) finding_.classes.push_back(*name);
    });
    if (finding_.classes.size() != 2 || finding_.classes[0] == finding_.classes[1])
      faults_.add(node->place, "classes", "give two classes, for example [cat, dog]");
  }

  // A single value is a list of one.
  template <class Use>
  void for_each_item(const YamlNode& node, const Use& use) {
    if (node.kind != YamlNode::Kind::sequence) return use(node);
    for (const YamlNode& item : node.items) use(item);
  }

  const StudySource& source_;
  ParameterReader parameters_;
  std::vector<std::string> names_;
  Faults& faults_;
  const SectionReader* reader_ = nullptr;
  const FindingKindSpec* spec_ = nullptr;
  Finding finding_;
};

}  // namespace

void read_findings(const YamlNode& node, const StudySource& source, Faults& faults,
                   std::vector<Finding>& findings) {
  if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
    faults.add(node.place, "findings",
               (node.kind == YamlNode::Kind::sequence ? "the list is empty"
                                                      : describe(node) + " is no list") +
                   "; give " + kFindingsExample + ", or remove the key");
    return;
  }
  FindingReader reader(source, faults);
  for (const YamlNode& item : node.items)
    if (auto finding = reader.read(item)) findings.push_back(std::move(*finding));
}

}  // namespace windrow::sweeps
