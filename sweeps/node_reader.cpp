#include "sweeps/node_reader.h"

#include <algorithm>
#include <map>

#include "protocol/nearest.h"

namespace windrow::sweeps {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "an integer from 1 to 5", or without an end where it is only what the type can hold.
std::string range(std::int64_t minimum, std::int64_t maximum) {
  if (maximum == 2147483647) return "an integer of at least " + std::to_string(minimum);
  return "an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum);
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && (is_letter(text[0]) || is_digit(text[0])) &&
         std::ranges::all_of(text, [](char c) {
           return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

bool is_parameter_name(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
  });
}

bool for_each_entry(const YamlNode& node, std::string_view what, std::string_view example,
                    Faults& faults, const std::function<void(const YamlEntry&)>& use) {
  if (node.kind != YamlNode::Kind::map) {
    faults.add(node.place, what, describe(node) + " is no map; give " + std::string(example));
    return false;
  }
  std::map<std::string, int> lines;  // of the keys seen
  for (const YamlEntry& entry : node.entries) {
    if (entry.key.kind != YamlNode::Kind::scalar) {
      faults.add(entry.key.place, what, describe(entry.key) + " is no key; give a name");
      continue;
    }
    const auto [seen, is_new] = lines.emplace(entry.key.text, entry.key.place.line);
    if (is_new)
      use(entry);
    else
      faults.add(
          entry.key.place, entry.key.text,
          "the key is given twice, first in line " + std::to_string(seen->second) + "; remove one");
  }
  return true;
}

SectionReader::SectionReader(const YamlNode& node, Section section, std::string_view what,
                             Faults& faults)
    : faults_(faults) {
  const std::vector<std::string> names = key_names(section);
  const std::string example = "one with keys of " + joined(names);
  is_map_ = for_each_entry(node, what, example, faults, [&](const YamlEntry& entry) {
    entries_.push_back(&entry);
    if (std::ranges::find(names, entry.key.text) == names.end())
      faults.add(entry.key.place, entry.key.text,
                 "unknown key; " + suggestion(entry.key.text, names));
  });
  if (!is_map_) return;
  for (const KeySpec& key : keys_of(section))
    if (key.required && !entry(key.name))
      faults.add(node.place, what.empty() ? key.name : std::string(what),
                 what.empty() ? "the key is missing; give " + key.help
                              : "the key " + key.name + " is missing; give " + key.help);
}

const YamlEntry* SectionReader::entry(std::string_view key) const {
  const auto found = std::ranges::find(
      entries_, key, [](const YamlEntry* entry) -> const std::string& { return entry->key.text; });
  return found == entries_.end() ? nullptr : *found;
}

const YamlNode* SectionReader::find(std::string_view key) const {
  const YamlEntry* found = entry(key);
  return found ? &found->value : nullptr;
}

void SectionReader::text(std::string_view key, std::string& out) const {
  if (const YamlNode* node = find(key))
    if (const auto text = read_text(*node, key, faults_)) out = *text;
}

void SectionReader::name(std::string_view key, std::string& out) const {
  const YamlNode* node = find(key);
  if (!node) return;
  const auto text = read_text(*node, key, faults_);
  if (!text) return;
  if (is_name(*text))
    out = *text;
  else
    faults_.add(node->place, key,
                Json(*text).dump() +
                    " is no name; give up to 100 letters, digits and . _ -, "
                    "beginning with a letter or digit");
}

void SectionReader::boolean(std::string_view key, bool& out) const {
  const YamlNode* node = find(key);
  if (!node) return;
  const auto value = read_scalar(*node, key, faults_, "give true or false");
  if (!value) return;
  if (value->is_boolean())
    out = value->get<bool>();
  else
    faults_.add(node->place, key, value->dump() + " is no boolean; give true or false");
}

void SectionReader::not_negative(std::string_view key, double& out) const {
  number(key, true, out);
}
void SectionReader::positive(std::string_view key, double& out) const {
  number(key, false, out);
}

void SectionReader::number(std::string_view key, bool zero_allowed, double& out) const {
  const YamlNode* node = find(key);
  if (!node) return;
  const std::string remedy =
      zero_allowed ? "give a number of at least 0" : "give a number greater than 0";
  const auto value = read_scalar(*node, key, faults_, remedy);
  if (!value) return;
  if (!value->is_number())
    faults_.add(node->place, key, value->dump() + " is no number; " + remedy);
  else if (zero_allowed ? value->get<double>() < 0 : value->get<double>() <= 0)
    faults_.add(node->place, key, value->dump() + " is out of range; " + remedy);
  else
    out = value->get<double>();
}

void SectionReader::integer(std::string_view key, std::int64_t minimum, std::int64_t maximum,
                            int& out) const {
  if (const YamlNode* node = find(key))
    if (const auto value = read_integer(*node, key, minimum, maximum, faults_))
      out = static_cast<int>(*value);
}

void SectionReader::goal(std::string_view key, protocol::Goal& out) const {
  const YamlNode* node = find(key);
  if (!node) return;
  if (node->text == "min")
    out = protocol::Goal::minimize;
  else if (node->text == "max")
    out = protocol::Goal::maximize;
  else
    faults_.add(node->place, key, describe(*node) + " is not allowed; give min or max");
}

std::optional<std::size_t> SectionReader::choice(std::string_view key,
                                                 std::span<const std::string> names) const {
  const YamlNode* node = find(key);
  if (!node) return std::nullopt;
  const auto found = std::ranges::find(names, node->text);
  if (node->kind == YamlNode::Kind::scalar && found != names.end())
    return static_cast<std::size_t>(found - names.begin());
  faults_.add(node->place, key,
              describe(*node) + " is not allowed; " + suggestion(node->text, names));
  return std::nullopt;
}

std::optional<std::string> read_text(const YamlNode& node, std::string_view key, Faults& faults) {
  if (node.kind == YamlNode::Kind::scalar) return node.text;
  faults.add(node.place, key, describe(node) + " is no string; give one");
  return std::nullopt;
}

std::optional<Json> read_scalar(const YamlNode& node, std::string_view key, Faults& faults,
                                std::string_view remedy) {
  if (node.kind == YamlNode::Kind::sequence || node.kind == YamlNode::Kind::map) {
    faults.add(node.place, key, describe(node) + " is no single value; " + std::string(remedy));
    return std::nullopt;
  }
  try {
    return scalar_value(node);
  } catch (const YamlFault& fault) {
    faults.add(fault.place, key, fault.message);
    return std::nullopt;
  }
}

std::optional<std::int64_t> read_integer(const YamlNode& node, std::string_view key,
                                         std::int64_t minimum, std::int64_t maximum,
                                         Faults& faults) {
  const std::string remedy = "give " + range(minimum, maximum);
  const auto value = read_scalar(node, key, faults, remedy);
  if (!value) return std::nullopt;
  if (!value->is_number_integer()) {
    faults.add(node.place, key, value->dump() + " is no integer; " + remedy);
    return std::nullopt;
  }
  const auto integer = value->get<std::int64_t>();
  if (integer >= minimum && integer <= maximum) return integer;
  faults.add(node.place, key, value->dump() + " is out of range; " + remedy);
  return std::nullopt;
}

}  // namespace windrow::sweeps
