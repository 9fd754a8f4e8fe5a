// Reads parts of the YAML tree with checks of kind, type and range; what is wrong goes to the
// faults, and reading goes on. Internal to sweeps/.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/early_stopping.h"
#include "sweeps/faults.h"
#include "sweeps/study_keys.h"
#include "sweeps/yaml_tree.h"

namespace windrow::sweeps {

// Calls `use` with each entry of a map whose key is a scalar that was not there before; `what`
// names the map's key in messages and `example` says what to give. False: the node is no map.
bool for_each_entry(const YamlNode& node, std::string_view what, std::string_view example,
                    Faults& faults, const std::function<void(const YamlEntry&)>& use);

// A map with the keys of a section. Unknown, duplicate and missing keys are faults.
class SectionReader {
 public:
  // `what` is the key under which the map stands; "" at the top of the file.
  SectionReader(const YamlNode& node, Section section, std::string_view what, Faults& faults);

  bool is_map() const { return is_map_; }
  const YamlEntry* entry(std::string_view key) const;  // nullptr: not given
  const YamlNode* find(std::string_view key) const;    // its value

  // Each leaves `out` as it is where the key isn't given or its value is at fault.
  void text(std::string_view key, std::string& out) const;
  void name(std::string_view key, std::string& out) const;  // of kNamePattern
  void boolean(std::string_view key, bool& out) const;
  void not_negative(std::string_view key, double& out) const;  // a number of at least 0
  void positive(std::string_view key, double& out) const;

  void integer(std::string_view key, std::int64_t minimum, std::int64_t maximum, int& out) const;
  // One of "min" and "max".
  void goal(std::string_view key, protocol::Goal& out) const;
  // The place of the value among `names`.
  std::optional<std::size_t> choice(std::string_view key, std::span<const std::string> names) const;

 private:
  void number(std::string_view key, bool zero_allowed, double& out) const;

  std::vector<const YamlEntry*> entries_;
  bool is_map_ = false;
  Faults& faults_;
};

// The scalar's text, whatever its type; nullopt and a fault for anything else.
std::optional<std::string> read_text(const YamlNode& node, std::string_view key, Faults& faults);

// The scalar's value; nullopt and a fault for anything else and for numbers that don't fit.
std::optional<Json> read_scalar(const YamlNode& node, std::string_view key, Faults& faults,
                                std::string_view remedy);

std::optional<std::int64_t> read_integer(const YamlNode& node, std::string_view key,
                                         std::int64_t minimum, std::int64_t maximum,
                                         Faults& faults);

bool is_name(std::string_view text);            // kNamePattern
bool is_parameter_name(std::string_view text);  // kParameterPattern

}  // namespace windrow::sweeps
