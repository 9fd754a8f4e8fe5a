// A study with the places its parts have in the file, for checks that look at several parts.
// Internal to sweeps/.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/faults.h"
#include "sweeps/node_reader.h"
#include "sweeps/study.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {

using Places = std::map<std::string, Place>;

struct StageSource {  // of the stage with the same index
  Place place;        // of its name; for a study without stages, of its parameters
  Places fixed;
  Places swept;  // the axes, and each key where it first appears in the cases
  std::vector<Place> cases;
  // Names of parameters in `when` and `exclude`, which must be given somewhere.
  std::vector<std::pair<std::string, Place>> conditions;
  bool has_bad_case = false;  // one with a fault of its own, so that comparing them says nothing
  Place count, of, by, best;
  std::vector<Place> take;
};

struct StudySource {
  Study study;
  const TaskSpec* task = nullptr;  // null for a command trainer, and where the task isn't known
  bool implicit_stage = false;     // the file has no stages
  Places fixed;
  Place budget;  // where study.budget is given
  std::vector<StageSource> stages;
};

// Reads parameters' names and values, by the task's table where there is one.
class ParameterReader {
 public:
  // `is_known`: false where the study says neither task nor trainer, or one that isn't known; then
  // nothing can be said about its parameters.
  ParameterReader(const TaskSpec* task, bool is_known, Faults& faults)
      : task_(task), is_known_(is_known), faults_(faults) {}

  // Whether it can be a parameter's name.
  bool name(const YamlNode& key);
  // In normal form.
  std::optional<Json> value(const std::string& key, const YamlNode& node);
  // A map of parameters that each have one value.
  void map(const YamlNode& node, std::string_view what, Json& values, Places& places);

 private:
  const TaskSpec* task_;
  bool is_known_;
  Faults& faults_;
};

// parse_rules.cpp: `zip`, `when` and `exclude`
void read_rules(const SectionReader& reader, ParameterReader& parameters, Faults& faults,
                Stage& stage, StageSource& source);

// parse_stage.cpp
void read_axis(const YamlEntry& entry, ParameterReader& parameters, Faults& faults,
               std::vector<GridAxis>& grid, bool repeated = false);
void read_stage(const SectionReader& reader, ParameterReader& parameters, Faults& faults,
                Stage& stage, StageSource& source);
void read_selection(const YamlNode& node, Faults& faults, Selection& best, StageSource& source);

// parse_report.cpp; column names are checked where `task` is known
void read_report(const YamlNode& node, StudySource& source, Faults& faults);
// A metric of a report: one of the task, where that is known, or a number of the view trials.
void check_report_metric(const std::string& name, Place place, std::string_view key,
                         const TaskSpec* task, Faults& faults);

// parse_findings.cpp
void read_findings(const YamlNode& node, const StudySource& source, Faults& faults,
                   std::vector<Finding>& findings);

// parse_figures.cpp
std::vector<Figure> read_figures(const YamlNode& node, const StudySource& source, Faults& faults);

// overrides.cpp
void apply_overrides(const std::vector<Override>& overrides, StudySource& source, Faults& faults);

// A count or a list; used for the file and for --set.
void read_seeds(const YamlNode& node, Faults& faults, std::vector<std::int64_t>& seeds);

// check_stages.cpp: what a stage says of itself and of earlier stages must fit together.
void check_stages(const StudySource& source, Faults& faults);

}  // namespace windrow::sweeps
