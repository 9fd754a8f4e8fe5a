#include "sweeps/study_keys.h"

namespace windrow::sweeps {
namespace {

// What a study without stages and a stage have in common.
const std::vector<KeySpec> kSweepKeys = {
    {"grid", "parameters with their lists of values; every combination is a cell",
     R"({"$ref": "#/$defs/grid"})"},
    {"cases", "a list of combinations written out; each is combined with the grid",
     R"({"$ref": "#/$defs/cases"})"},
    {"zip",
     "lists of values that run together, as one axis: all first values, then all second ones; a "
     "list of such maps is an axis each",
     R"({"$ref": "#/$defs/zip"})"},
    {"when",
     "parameters that only cells with these values of others have; elsewhere they aren't given",
     R"({"type": "object", "additionalProperties": {"$ref": "#/$defs/condition"}, "minProperties": 1})"},
    {"exclude", "a list of partial combinations: cells that fit one are left out",
     R"({"type": "array", "items": {"$ref": "#/$defs/condition"}, "minItems": 1})"},
};

std::vector<KeySpec> with_sweep_keys(std::vector<KeySpec> before,
                                     const std::vector<KeySpec>& after) {
  before.insert(before.end(), kSweepKeys.begin(), kSweepKeys.end());
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

const std::vector<KeySpec> kStudyKeys = with_sweep_keys(
    {
        {"study", "the study's name, by which the database knows it: letters, digits and . _ -",
         R"({"$ref": "#/$defs/name"})", true},
        {"task", "a shipped task; a study has either this or `trainer`",
         R"({"$ref": "#/$defs/task"})"},
        {"trainer", "a program of your own as the trainer; a study has either this or `task`",
         R"({"$ref": "#/$defs/trainer"})"},
        {"parameters", "parameters that all cells share", R"({"$ref": "#/$defs/parameters"})"},
        {"seeds", "repeats of each cell: a count (3 stands for 0, 1, 2) or a list of seeds",
         R"({"$ref": "#/$defs/seeds", "default": 1})"},
        {"early_stopping", "ends a trial whose metric no longer improves",
         R"({"$ref": "#/$defs/early_stopping"})"},
    },
    {
        {"stages",
         "parts of the study by name, in place of `grid`, `cases`, `zip`, `when` "
         "and `exclude`",
         R"({"type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/name"},
         "additionalProperties": {"$ref": "#/$defs/stage"}})"},
        {"report", "what `windrow table`, `report` and `findings` show",
         R"({"$ref": "#/$defs/report"})"},
        {"keep",
         "whose checkpoints stay after their end: none; last, of the trials that ended last; best, "
         "of the best ones by `compare` of the report. Absent: last where the budget is known",
         R"({"enum": ["none", "last", "best"]})"},
        {"keep_count", "of how many trials they stay; absent: of all, and with best of one",
         R"({"type": "integer", "minimum": 1, "maximum": 10000000})"},
        {"on_end", "a command or a web address that is told when the study is over",
         R"({"$ref": "#/$defs/notice"})"},
        {"on_failure",
         "a command or a web address that is told when a trial failed for good, or the run can't "
         "go on",
         R"({"$ref": "#/$defs/notice"})"},
    });

const std::vector<KeySpec> kTrainerKeys = {
    {"command", "the program and its arguments",
     R"({"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1})",
     true},
    {"persistent",
     "true: it speaks the line protocol and takes trial after trial; false: a process "
     "a trial",
     R"({"type": "boolean", "default": false})"},
    {"arguments",
     "how a process a trial gets the parameters, beside WINDROW_PARAMETERS: words is "
     "--name=value; flags the same, but --name for true and nothing for false; hydra is "
     "name=value; none is nothing",
     R"({"enum": ["words", "flags", "hydra", "none"], "default": "words"})"},
    {"reports",
     "epochs: what is finished has printed an epoch or a result; nothing: the exit code of a "
     "process a trial is all",
     R"({"enum": ["epochs", "nothing"], "default": "epochs"})"},
    {"gang",
     "processes that train a trial together, started with the variables of torchrun (RANK, "
     "LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT), each with a device; a slot is a team of "
     "so "
     "many devices of a rank",
     R"({"type": "integer", "minimum": 1, "maximum": 1024, "default": 1})"},
    {"ready_seconds",
     "a persistent trainer must say `ready` within this many seconds; a first start from a shared "
     "file system may take minutes",
     R"({"type": "number", "exclusiveMinimum": 0, "default": 300})"},
    {"hang_seconds",
     "a trainer without output on stdout and stderr for this many seconds hangs and is killed; "
     "0 is no limit",
     R"({"type": "number", "minimum": 0, "default": 0})"},
    {"files",
     "files and folders that are the program's own, beside those that the command and its imports "
     "tell: results of other contents of theirs are told apart",
     R"({"type": "array", "items": {"type": "string"}})"},
    {"budget",
     "the parameter that says for how many epochs a trial trains: when it is raised, finished "
     "trials go on from their last checkpoint instead of being trained anew",
     R"({"type": "string"})"},
    {"freeze",
     "folders that are copied at the first run and trained from, so that they can be edited "
     "meanwhile",
     R"({"type": "array", "items": {"type": "string"}})"},
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

const std::vector<KeySpec> kStageKeys = with_sweep_keys(
    {
        {"parameters", "parameters that the stage's cells share, over the study's",
         R"({"$ref": "#/$defs/parameters"})"},
    },
    {
        {"best", "a selection from an earlier stage; each cell selected is combined with the rest",
         R"({"$ref": "#/$defs/best"})"},
    });

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
    {"despite",
     "kinds of failure that trials of the earlier stage may have: crash, cuda, hang, data, node. "
     "Without this nothing is selected from a stage that lacks cells for the machine's reasons",
     R"({"type": "array", "items": {"enum": ["crash", "cuda", "hang", "data", "node"]}, "minItems": 1, "uniqueItems": true})"},
};

const std::vector<KeySpec> kReportKeys = {
    {"columns", "parameters, metrics and columns of the view `trials`, in order, with headings",
     R"({"$ref": "#/$defs/columns"})"},
    {"sort_by", "the column by which the rows are sorted; the order of the grid where absent",
     R"({"type": "string"})"},
    {"descending", "the largest first", R"({"type": "boolean", "default": false})"},
    {"caption", "the table's caption", R"({"type": "string"})"},
    {"compare",
     "the metric by which cells are compared with the best one; by the sort column where absent",
     R"({"$ref": "#/$defs/compare"})"},
    {"findings", "claims about the results that `windrow findings` checks",
     R"({"type": "array", "items": {"$ref": "#/$defs/finding"}, "minItems": 1})"},
    {"figures", "what `windrow report` draws; what suits the study where absent",
     R"({"type": "array", "items": {"$ref": "#/$defs/figure"}})"},
};

const std::vector<KeySpec> kColumnKeys = {
    {"key", "a parameter, a metric or a column of the view `trials`", R"({"type": "string"})",
     true},
    {"label", "the heading; the key where absent", R"({"type": "string"})"},
    {"last_epochs",
     "of a metric: its mean over the last so many epochs that report it, instead of the result",
     R"({"type": "integer", "minimum": 1})"},
};

const std::vector<KeySpec> kCompareKeys = {
    {"metric", "the metric", R"({"type": "string"})", true},
    {"goal", "min or max: which end of it is best",
     R"({"enum": ["min", "max"], "default": "min"})"},
};

const std::vector<KeySpec> kFindingKeys = {
    {"claim", "the claim in words", R"({"type": "string"})", true},
    {"kind", "what is asserted, and which of the other keys belong to it",
     R"({"enum": ["best", "compare", "trend", "rank", "bound", "order", "equal", "confused"]})",
     true},
    {"stage", "the stage whose cells are looked at; all cells where absent",
     R"({"$ref": "#/$defs/name"})"},
    {"metric", "a metric, or a list of metrics for each of which the claim is checked",
     R"({"oneOf": [{"type": "string"},
                   {"type": "array", "items": {"type": "string"}, "minItems": 1}]})"},
    {"goal", "min or max: which end of the metric is best",
     R"({"enum": ["min", "max"], "default": "min"})"},
    {"parameter", "the parameter whose values are told apart", R"({"type": "string"})"},
    {"values", "values of the parameter", R"({"type": "array", "minItems": 1})"},
    {"higher", "the value of the parameter with the higher metric",
     R"({"type": ["string", "number", "boolean", "null"]})"},
    {"lower", "the value of the parameter with the lower metric",
     R"({"type": ["string", "number", "boolean", "null"]})"},
    {"direction", "rising or falling: of the metric, as the parameter rises",
     R"({"enum": ["rising", "falling"]})"},
    {"cell", "parameters that pick the cell out", R"({"type": "object", "minProperties": 1})"},
    {"first", "the cell is among the first so many", R"({"type": "integer", "minimum": 1})"},
    {"last", "the cell is among the last so many", R"({"type": "integer", "minimum": 1})"},
    {"below", "the metric is smaller than this", R"({"type": "number"})"},
    {"above", "the metric is larger than this", R"({"type": "number"})"},
    {"expected", "cells with the values that the metric has there",
     R"({"type": "array", "items": {"$ref": "#/$defs/expected"}, "minItems": 1})"},
    {"tolerance", "the largest absolute difference that counts as equal",
     R"({"type": "number", "minimum": 0, "default": 0})"},
    {"classes", "the two classes that are confused with each other most often",
     R"({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2})"},
};

const std::vector<KeySpec> kExpectedKeys = {
    {"cell", "parameters that pick the cell out", R"({"type": "object", "minProperties": 1})",
     true},
    {"value", "the metric's value there", R"({"type": "number"})", true},
};

const std::vector<KeySpec> kFigureKeys = {
    {"name", "of its files, no two the same in a study; figure- and its number where absent",
     R"({"$ref": "#/$defs/name"})"},
    {"kind", "curves, confusion, class-accuracy or scatter",
     R"({"enum": ["curves", "confusion", "class-accuracy", "scatter"]})", true},
    {"title", "its heading; made of what is drawn where absent", R"({"type": "string"})"},
    {"stage", "the cells of this stage only", R"({"$ref": "#/$defs/name"})"},
    {"where", "parameters with a value or a list of values: only the cells that have them",
     R"({"type": "object"})"},
    {"metric", "curves: the metrics of an epoch that are drawn", R"({"$ref": "#/$defs/names"})"},
    {"by", "parameters, or seed; a line, matrix or colour for each combination of their values",
     R"({"$ref": "#/$defs/names"})"},
    {"x", "scatter: a number of the view `trials`, by its mean over the seeds",
     R"({"type": "string"})"},
    {"y", "scatter: likewise", R"({"type": "string"})"},
    {"label", "scatter: the parameters that are written at a point",
     R"({"$ref": "#/$defs/names"})"},
    {"x_label", "the axis' text; the key, or its heading in `columns`, where absent",
     R"({"type": "string"})"},
    {"y_label", "likewise", R"({"type": "string"})"},
    {"log_x", "a logarithmic axis", R"({"type": "boolean", "default": false})"},
    {"log_y", "likewise", R"({"type": "boolean", "default": false})"},
};

}  // namespace

const std::vector<FindingKindSpec>& finding_kinds() {
  using enum FindingKind;
  static const std::vector<FindingKindSpec> kinds = {
      {best, {"metric", "parameter", "values"}, {"goal"}, {}},
      {compare, {"metric", "parameter", "higher", "lower"}, {}, {}},
      {trend, {"metric", "parameter", "direction"}, {"values"}, {}},
      {rank, {"metric", "cell"}, {"goal"}, {"first", "last"}},
      {bound, {"metric"}, {"cell"}, {"below", "above"}},
      {order, {"metric", "parameter", "values"}, {}, {}},
      {equal, {"metric", "expected"}, {"tolerance"}, {}},
      {confused, {"cell", "classes"}, {}, {}},
  };
  return kinds;
}

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
    case Section::compare:
      return "compare";
    case Section::finding:
      return "finding";
    case Section::expected:
      return "expected";
    case Section::figure:
      return "figure";
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
      return kColumnKeys;
    case Section::compare:
      return kCompareKeys;
    case Section::finding:
      return kFindingKeys;
    case Section::expected:
      return kExpectedKeys;
    case Section::figure:
      break;
  }
  return kFigureKeys;
}

std::vector<std::string> key_names(Section section) {
  std::vector<std::string> names;
  for (const KeySpec& key : keys_of(section)) names.push_back(key.name);
  return names;
}

}  // namespace windrow::sweeps
