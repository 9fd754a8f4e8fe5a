// `zip`, `when` and `exclude`: what a stage says beside its product.
#include <algorithm>

#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kZipExample =
    "lists of the same length, for example {lr: [0.1, 0.01], batch: [32, 64]}";
constexpr const char* kWhenExample =
    "parameters with conditions, for example {momentum: {optimizer: sgd}}";
constexpr const char* kExcludeExample =
    "a list of partial combinations, for example [{optimizer: sgd, lr: 1}]";

class RuleReader {
 public:
  RuleReader(ParameterReader& parameters, Faults& faults, Stage& stage, StageSource& source)
      : parameters_(parameters), faults_(faults), stage_(stage), source_(source) {}

  void zip(const YamlNode& node) {
    std::vector<GridAxis> group;
    const bool is_map =
        for_each_entry(node, "zip", kZipExample, faults_, [&](const YamlEntry& entry) {
          if (!parameters_.name(entry.key)) return;
          const std::string& key = entry.key.text;
          const auto [before, is_new] = source_.swept.emplace(key, entry.key.place);
          if (!is_new)
            faults_.add(entry.key.place, key,
                        "it is swept already, in line " + std::to_string(before->second.line) +
                            "; keep one of the two");
          read_axis(entry, parameters_, faults_, group, true);
          if (group.empty() || group.back().first != key) return;
          const std::size_t length = group.front().second.size();
          if (group.back().second.size() != length)
            faults_.add(entry.key.place, key,
                        "has " + std::to_string(group.back().second.size()) + " values, and " +
                            group.front().first + ", which it runs together with, has " +
                            std::to_string(length) + "; give lists of the same length");
        });
    if (is_map && node.entries.empty())
      faults_.add(node.place, "zip", std::string("it is empty; give ") + kZipExample);
    if (!group.empty()) stage_.zips.push_back(std::move(group));
  }

  void zips(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::sequence) return zip(node);
    if (node.items.empty())
      faults_.add(node.place, "zip", std::string("it is empty; give ") + kZipExample);
    for (const YamlNode& item : node.items) zip(item);
  }

  void when(const YamlNode& node) {
    const bool is_map =
        for_each_entry(node, "when", kWhenExample, faults_, [&](const YamlEntry& entry) {
          if (!parameters_.name(entry.key)) return;
          source_.conditions.emplace_back(entry.key.text, entry.key.place);
          Condition rule{entry.key.text, condition(entry.value, entry.key.text)};
          if (rule.values.contains(rule.parameter))
            faults_.add(entry.value.place, rule.parameter,
                        "it can't hang on itself; name another parameter");
          if (!rule.values.empty()) stage_.when.push_back(std::move(rule));
        });
    if (is_map && node.entries.empty())
      faults_.add(node.place, "when", std::string("it is empty; give ") + kWhenExample);
  }

  void exclude(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
      faults_.add(
          node.place, "exclude",
          (node.kind == YamlNode::Kind::sequence ? "it is empty" : describe(node) + " is no list") +
              "; give " + kExcludeExample);
      return;
    }
    for (const YamlNode& item : node.items)
      if (Json values = condition(item, "exclude"); !values.empty())
        stage_.exclude.push_back(std::move(values));
  }

 private:
  // Each parameter with the list of values that it may have.
  Json condition(const YamlNode& node, const std::string& what) {
    Json values = Json::object();
    const bool is_map = for_each_entry(
        node, what, "parameters with values, for example {optimizer: sgd, lr: [0.1, 1]}", faults_,
        [&](const YamlEntry& entry) {
          if (!parameters_.name(entry.key)) return;
          const std::string& key = entry.key.text;
          source_.conditions.emplace_back(key, entry.key.place);
          const bool is_list = entry.value.kind == YamlNode::Kind::sequence;
          if (is_list && entry.value.items.empty())
            faults_.add(entry.value.place, key, "its list of values is empty; give a value");
          Json list = Json::array();
          const auto add = [&](const YamlNode& one) {
            if (auto value = parameters_.value(key, one)) list.push_back(std::move(*value));
          };
          if (is_list)
            for (const YamlNode& one : entry.value.items) add(one);
          else
            add(entry.value);
          if (!list.empty()) values[key] = std::move(list);
        });
    if (is_map && node.entries.empty())
      faults_.add(node.place, what,
                  "it is empty, and would fit every combination; name a parameter");
    return values;
  }

  ParameterReader& parameters_;
  Faults& faults_;
  Stage& stage_;
  StageSource& source_;
};

}  // namespace

void read_rules(const SectionReader& reader, ParameterReader& parameters, Faults& faults,
                Stage& stage, StageSource& source) {
  RuleReader rules(parameters, faults, stage, source);
  if (const YamlNode* zip = reader.find("zip")) rules.zips(*zip);
  if (const YamlNode* when = reader.find("when")) rules.when(*when);
  if (const YamlNode* exclude = reader.find("exclude")) rules.exclude(*exclude);
}

}  // namespace windrow::sweeps
