#include "sweeps/study_keys.h"

namespace windrow::sweeps {
namespace {

const std::vector<KeySpec> kStudyKeys = {
    {"study", "the study's name, by which the database knows it: letters, digits and . _ -",
     R"({"$ref": "#/$defs/name"})", true},
    {"task", "a shipped task; a study has either this or `trainer`", R"({"$ref": "#/$defs/task"})"},
    {"trainer", "a program of your own as the trainer; a study has either this or `task`",
     R"({"$ref": "#/$defs/trainer"})"},
    {"parameters", "parameters that all cells share", R"({"$ref": "#/$defs/parameters"})"},
    {"seeds", "repeats of each cell: a count (3 stands for 0, 1, 2) or a list of seeds",
     R"({"$ref": "#/$defs/seeds", "default": 1})"},
    {"early_stopping", "ends a trial whose metric no longer improves",
     R"({"$ref": "#/$defs/early_stopping"})"},
    {"grid", "parameters with their lists of values; every combination is a cell",
     R"({"$ref": "#/$defs/grid"})"},
    {"cases", "a list of combinations written out; each is combined with the grid",
     R"({"$ref": "#/$defs/cases"})"},
    {"stages", "parts of the study by name, in place of `grid` and `cases`",
     R"({"type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/name"},
         "additionalProperties": {"$ref": "#/$defs/stage"}})"},
    {"report", "what `windrow table` prints", R"({"$ref": "#/$defs/report"})"},
};

const std::vector<KeySpec> kTrainerKeys = {
    {"command", "the program and its arguments",
     R"({"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1})",
     true},
    {"persistent",
     "true: it speaks the line protocol and takes trial after trial; false: a process "
     "a trial",
     R"({"type": "boolean", "default": true})"},
    {"ready_seconds", "a persistent trainer must say `ready` within this many seconds",
     R"({"type": "number", "exclusiveMinimum": 0, "default": 60})"},
    {"hang_seconds", "a trainer silent for this many seconds hangs and is killed; 0 is no limit",
     R"({"type": "number", "minimum": 0, "default": 0})"},
};

const std::vector<KeySpec> kEarlyStoppingKeys = {
    {"metric", "the metric that is watched, once an epoch", R"({"type": "string"})", true},
    {"goal", "min or max: what counts as better", R"({"enum": ["min", "max"], "default": "min"})"},
    {"patience", "epochs in a row without improvement after which the trial ends",
     R"({"type": "integer", "minimum": 1, "maximum": 1000000000, "default": 5})"},
    {"min_delta", "a change must be larger than this to be an improvement",
     R"({"type": "number", "minimum": 0, "default": 0})"},
    {"restore_best", "the result is that of the best epoch, with its weights, not the last one's",
     R"({"type": "boolean", "default": true})"},
};

const std::vector<KeySpec> kStageKeys = {
    {"parameters", "parameters that the stage's cells share, over the study's",
     R"({"$ref": "#/$defs/parameters"})"},
    {"grid", "parameters with their lists of values; every combination is a cell",
     R"({"$ref": "#/$defs/grid"})"},
    {"cases", "a list of combinations written out; each is combined with the grid",
     R"({"$ref": "#/$defs/cases"})"},
    {"best", "a selection from an earlier stage; each cell selected is combined with the rest",
     R"({"$ref": "#/$defs/best"})"},
};

const std::vector<KeySpec> kBestKeys = {
    {"count", "how many cells are selected", R"({"type": "integer", "minimum": 1, "default": 1})"},
    {"of", "the earlier stage", R"({"$ref": "#/$defs/name"})", true},
    {"by", "the metric that ranks its cells, as the mean over their seeds", R"({"type": "string"})",
     true},
    {"goal", "min or max: which end of the ranking is best",
     R"({"enum": ["min", "max"], "default": "min"})"},
    {"take",
     "the parameters that are taken from a selected cell; all that its stage sweeps, where "
     "this is absent",
     R"({"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": true})"},
};

const std::vector<KeySpec> kReportKeys = {
    {"columns", "parameters, metrics and columns of the view `trials`, in order, with headings",
     R"({"$ref": "#/$defs/columns"})"},
    {"sort_by", "the column by which the rows are sorted; the order of the grid where absent",
     R"({"type": "string"})"},
    {"descending", "the largest first", R"({"type": "boolean", "default": false})"},
    {"caption", "the table's caption", R"({"type": "string"})"},
};

const std::vector<KeySpec> kColumnKeys = {
    {"key", "a parameter, a metric or a column of the view `trials`", R"({"type": "string"})",
     true},
    {"label", "the heading; the key where absent", R"({"type": "string"})"},
};

}  // namespace

const char* to_string(Section section) {
  switch (section) {
    case Section::study:
      return "study";
    case Section::trainer:
      return "trainer";
    case Section::early_stopping:
      return "early_stopping";
    case Section::stage:
      return "stage";
    case Section::best:
      return "best";
    case Section::report:
      return "report";
    case Section::column:
      return "column";
  }
  return "";
}

const std::vector<KeySpec>& keys_of(Section section) {
  switch (section) {
    case Section::study:
      return kStudyKeys;
    case Section::trainer:
      return kTrainerKeys;
    case Section::early_stopping:
      return kEarlyStoppingKeys;
    case Section::stage:
      return kStageKeys;
    case Section::best:
      return kBestKeys;
    case Section::report:
      return kReportKeys;
    case Section::column:
      break;
  }
  return kColumnKeys;
}

std::vector<std::string> key_names(Section section) {
  std::vector<std::string> names;
  for (const KeySpec& key : keys_of(section)) names.push_back(key.name);
  return names;
}

}  // namespace windrow::sweeps
