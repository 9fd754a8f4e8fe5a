// A study: the YAML file, parsed and checked, and its expansion into cells and trials.
//
// parse (YAML, located errors) -> Study -> expand -> cells with identity. No I/O beyond reading the
// file, no database: what a selecting stage needs from earlier results is handed in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocol/early_stopping.h"
#include "protocol/messages.h"
#include "sweeps/figure.h"
#include "sweeps/finding.h"

namespace windrow::sweeps {

using protocol::Json;

// A bad study file. what() is "FILE:LINE:COLUMN: key: what is wrong with which value; remedy",
// one line for each fault found (all faults of a file are reported at once where possible).
struct StudyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An ordered list of parameters with their values: the order of the file.
using GridAxis = std::pair<std::string, std::vector<Json>>;

// A stage's selection from an earlier stage: the best `count` cells of stage `of` by the mean over
// seeds of metric `by`; of each, the parameters `take` (empty: all swept ones) are kept.
struct Selection {
  int count = 1;
  std::string of;
  std::string by;
  protocol::Goal goal = protocol::Goal::minimize;
  std::vector<std::string> take;
  std::vector<protocol::FailureKind> despite;  // failures of the machine's that don't matter
  friend bool operator==(const Selection&, const Selection&) = default;
};

// A parameter that only some combinations have.
struct Condition {
  std::string parameter;
  Json values = Json::object();  // of other parameters: each has one of the list's values
  friend bool operator==(const Condition&, const Condition&) = default;
};

struct Stage {
  std::string name;            // "main" for a study without stages
  Json parameters;             // fixed for this stage, over the study's
  std::vector<GridAxis> grid;  // cartesian product, last axis fastest
  // Axes that run together: the first values of all, then the second ones. Each group is as one
  // axis of the product, before those of the grid.
  std::vector<std::vector<GridAxis>> zips;
  std::vector<Condition> when;  // what doesn't fit is as if the parameter weren't given
  std::vector<Json> exclude;    // as Condition::values: combinations that are left out
  std::vector<Json> cases;      // explicit combinations, each an object; product with the grid
  std::vector<std::string> case_keys;  // the cases' parameters, in the order of first appearance
  std::optional<Selection> best;
};

struct ReportColumn {
  std::string key;      // a parameter, a metric, or a column of the `trials` view
  std::string label;    // heading; the key where none is given
  int last_epochs = 0;  // of a metric: its mean over the last so many epochs; 0 = the result
  friend bool operator==(const ReportColumn&, const ReportColumn&) = default;
};

// By which metric cells are compared with the best one.
struct ReportComparison {
  std::string metric;
  protocol::Goal goal = protocol::Goal::minimize;
};

struct Report {                       // how `table` and `report` show the study
  std::vector<ReportColumn> columns;  // empty: the varying parameters and all metrics
  std::string sort_by;                // a column's key; "" = grid order
  bool descending = false;
  std::string caption;
  std::optional<ReportComparison> compare;  // absent: by the sort column, where that is a metric
  std::vector<Finding> findings;            // claims that `windrow findings` checks
  // What `windrow report` draws; nullopt: what suits the study, empty: nothing.
  std::optional<std::vector<Figure>> figures;
};

// Whom a run tells: a program, or a web address. Either is given one JSON object.
struct Notice {
  std::vector<std::string> command;  // argv; empty: `url`
  std::string url;
  friend bool operator==(const Notice&, const Notice&) = default;
};

// Whose checkpoints stay after their trials' end.
enum class Keep { none, last, best };
struct KeptCheckpoints {
  Keep keep = Keep::none;
  int count = 0;  // of trials: the last ones that ended, or the best ones; 0 = all
  friend bool operator==(const KeptCheckpoints&, const KeptCheckpoints&) = default;
};

struct Study {
  std::string name;
  std::string task;  // a shipped task, or "" with trainer.command
  protocol::TrainerSettings trainer;
  std::string budget;  // of a program of one's own: the parameter that says how long it trains
  Json parameters = Json::object();  // fixed ones, after --set
  std::vector<std::int64_t> seeds = {0};
  std::optional<protocol::EarlyStopping> early_stopping;
  std::vector<Stage> stages;  // in the file's order; a stage selects from earlier ones only
  Report report;
  std::optional<KeptCheckpoints> kept;  // see kept_checkpoints()
  std::optional<Notice> on_end;         // the study is over
  std::optional<Notice> on_failure;     // a trial failed for good, or the run can't go on

  std::string text;  // the effective study as YAML (with --set applied): parsing it
                     // gives this study again; what `resume` reads back
  std::string hash;  // content hash of the canonical form of all of the above
};

struct Override {  // --set key=value; value is parsed as YAML
  std::string key;
  std::string value;
};

// Of "key=value" texts, as --set takes them. Throws std::runtime_error.
std::vector<Override> parse_overrides(const std::vector<std::string>& texts);

// Throw StudyError. `name` stands for the file in messages.
Study parse_study(const std::string& text, const std::string& name,
                  const std::vector<Override>& overrides = {});
Study load_study(const std::filesystem::path& file, const std::vector<Override>& overrides = {});

// One point of the grid. Its identity is `hash`: of task, early stopping and the parameters that
// differ from the task's defaults, in canonical form; so writing a default out changes nothing.
struct Cell {
  std::string hash;                 // 16 hexadecimal digits
  Json parameters;                  // complete: the task's defaults filled in
  std::vector<std::string> stages;  // every stage it belongs to, in order
  std::vector<int> places;          // its place in the grid of each of them
};

// The hash of a cell of the study with these complete parameters.
std::string cell_hash(const Study& study, const Json& parameters);

// The parameter that says how long trials train and nothing of how: what has trained for fewer
// epochs goes on when it is raised. Of the shipped tasks `epochs`; "" = none is known.
std::string budget_parameter(const Study& study);

// As the study says, else: the last one of each trial where it can go on, none otherwise.
KeptCheckpoints kept_checkpoints(const Study& study);

// The mean over its finished seeds of each metric of a cell, for selections; only cells with at
// least one finished trial appear.
using CellMetrics = std::map<std::string /*cell hash*/, std::map<std::string, double>>;

// Why a stage can't be expanded yet or ever, or is expanded to less than it should be.
struct StageState {
  enum class Kind { expanded, waiting, impossible };
  Kind kind = Kind::expanded;
  // "waits for stage optimizers", "no cell of stage x has metric y", ...; of an expanded one ""
  // or why it selects fewer cells than wanted
  std::string reason;
};

// How many trials of each stage failed for good, by kind.
using StageFailures = std::map<std::string, std::map<protocol::FailureKind, int>>;

// What a rule of a stage did to its combinations.
struct RuleEffect {
  std::string stage, rule;    // the rule as in the file
  std::int64_t excluded = 0;  // left out by it
  std::int64_t applied = 0;   // of `when`: lost the parameter,
  std::int64_t merged = 0;    // and are the same cell as another combination then
};

struct Expansion {
  std::vector<Cell> cells;        // in the order of first appearance; no two share a hash
  std::vector<RuleEffect> rules;  // of all that are expanded, in the order of the file
  // Parameters with more than one value, stage by stage: those taken, of the cases, of the grid,
  // fixed ones.
  std::vector<std::string> varying;
  std::map<std::string, StageState> stages;
};

// Expands the study as far as results allow. A stage of which nothing is left is refused. The
// order: stage by stage as in the file; within a stage the combinations selected, best first; for
// each of them the cases; for each of those what is
// zipped and then the grid, its last axis fastest. Selected cells that
// agree in all that is taken give one combination. A selecting stage is expanded when every trial
// of the stage it selects from is over, which the caller says by naming that stage in `complete`,
// and has no cells whose trials failed for the machine's reasons, by `failures`, but for the kinds
// that its selection names in `despite`. Ties in a selection go to the earlier cell. Throws
// StudyError where a combination is refused (each cell is checked against the task's parameters).
Expansion expand(const Study& study, const CellMetrics& metrics = {},
                 const std::vector<std::string>& complete = {}, const StageFailures& failures = {});

// How far the stages have come, by their trials.
struct TrialEnd {
  bool over = false;                            // finished or failed
  std::optional<protocol::FailureKind> failed;  // for good, and why
};
struct StageProgress {
  std::vector<std::string> complete;  // expanded stages of which every trial is over
  StageFailures failures;
};
StageProgress stage_progress(const Study& study, const Expansion& expansion,
                             const std::function<TrialEnd(const Cell&, std::int64_t seed)>& end_of);

// The study file's JSON Schema (draft 2020-12), for editors.
Json study_schema();

}  // namespace windrow::sweeps
