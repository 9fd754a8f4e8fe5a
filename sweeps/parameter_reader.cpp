#include "protocol/nearest.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {

bool ParameterReader::name(const YamlNode& key) {
  if (!is_known_) return true;
  if (task_) {
    if (task_->find(key.text)) return true;
    faults_.add(key.place, key.text,
                "is no parameter of task " + task_->name + "; " +
                    suggestion(key.text, task_->parameter_names()));
    return false;
  }
  if (key.text == "seeds") {
    faults_.add(key.place, key.text, "seeds are no parameter; give the key at the top of the file");
    return false;
  }
  if (is_parameter_name(key.text)) return true;
  faults_.add(key.place, key.text,
              key.text == "<<"
                  ? "is YAML's merge key, which is not understood; write the values out, or use "
                    "plain anchors (&a and *a)"
                  : "is no name for a parameter; give letters, digits and _ . -, "
                    "beginning with a letter or _");
  return false;
}

std::optional<Json> ParameterReader::value(const std::string& key, const YamlNode& node) {
  std::optional<Json> value =
      read_scalar(node, key, faults_,
                  "a parameter has one value; several go into grid or cases, and a list that is "
                  "one value is written as text that your program takes apart, for example "
                  "\"64,64\"");
  if (!value) return std::nullopt;
  if (task_) {
    std::vector<ParameterFault> found;
    value = check_value(*task_, key, *value, found);
    for (const ParameterFault& fault : found) faults_.add(node.place, key, fault.message);
    if (!found.empty()) return std::nullopt;
  } else if (is_known_ && value->is_null() && node.kind == YamlNode::Kind::null &&
             node.text.empty() && !node.written) {
    faults_.add(node.place, key,
                "has no value; give a number, a string, true, false or null (which leaves the "
                "option out)");
    return std::nullopt;
  }
  return value;
}

void ParameterReader::map(const YamlNode& node, std::string_view what, Json& values,
                          Places& places) {
  for_each_entry(node, what, "parameters with values, for example {lr: 0.1}", faults_,
                 [&](const YamlEntry& entry) {
                   if (!name(entry.key)) return;
                   // The place is kept for a bad value too: the key is there, not missing.
                   places.emplace(entry.key.text, entry.key.place);
                   if (auto read = value(entry.key.text, entry.value))
                     values[entry.key.text] = std::move(*read);
                 });
}

}  // namespace windrow::sweeps
