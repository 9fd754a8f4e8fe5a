// What makes a cell and a study what they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sweeps/canonical.h"
#include "sweeps/study.h"
#include "tests/sweeps/parse.h"

namespace windrow::sweeps {
namespace {

std::string cell_hash(const std::string& text) {
  const Expansion expansion = expand(parse(text));
  EXPECT_EQ(expansion.cells.size(), 1u);
  return expansion.cells.at(0).hash;
}

const std::string kCell = "{study: s, task: choice-sets, parameters: {depth: 3, width: 10}}";
const std::string kOwn = "{study: s, trainer: {command: [x]}, parameters: {a: 0.1, b: text}}";

TEST(Canonical, SortsKeysAndWritesNumbersByValue) {
  EXPECT_EQ(canonical(Json::parse(R"({"b":1.0,"a":[0.1,1e-1,true,null,"x y",-0.0],"c_1":1e300})")),
            R"({"a":[0.1,0.1,true,null,"x y",0],"b":1,"c_1":1e+300})");
  EXPECT_EQ(canonical(Json(9007199254740993)), "9007199254740993");
  EXPECT_EQ(canonical(Json("quote\"")), R"("quote\"")");
  EXPECT_EQ(canonical(Json::parse(R"({"needs-quotes\n":1})")), R"({"needs-quotes\n":1})");
}

// These must never change: databases in use hold them.
TEST(CellHash, StaysTheSameFromVersionToVersion) {
  EXPECT_EQ(cell_hash(kCell), "9a25971eb769974e");
  EXPECT_EQ(cell_hash(kOwn), "52d1fe12c1f73ec5");
  EXPECT_EQ(cell_hash("{study: s, task: cifar10, parameters: {model: cnn5x5, optimizer: adam, "
                      "epochs: 3, lr: 0.01}, early_stopping: {metric: val_loss}}"),
            "57e50f4799762a31");
}

TEST(CellHash, IsTheSameForTheSameNumberWrittenOtherwise) {
  EXPECT_EQ(cell_hash(kOwn),
            cell_hash("{study: s, trainer: {command: [x]}, parameters: {b: 'text', "
                      "a: 1.0e-1}}"));
  EXPECT_EQ(cell_hash("{study: s, trainer: {command: [x]}, parameters: {a: 1}}"),
            cell_hash("{study: s, trainer: {command: [x]}, parameters: {a: 1.0}}"));
}

TEST(CellHash, WritingADefaultOutChangesNothing) {
  EXPECT_EQ(cell_hash(kCell),
            cell_hash("{study: s, task: choice-sets, parameters: {depth: 3, width: "
                      "10, lr: 1e-4, pool: mean, batch: 300, model: setnet}}"));
}

// Parameters that later versions added: their defaults keep the cells of older databases.
TEST(CellHash, KnowsCellsFromBeforeAParameterWasThere) {
  EXPECT_EQ(cell_hash("{study: s, task: cifar10, parameters: {model: cnn5x5, optimizer: adam, "
                      "epochs: 3, lr: 0.01, decay: all, clip_norm: null, clip_value: null, "
                      "schedule: constant, plateau_metric: val_loss, flip: false, translate: 0, "
                      "rotate: 0, zoom: 0}, early_stopping: {metric: val_loss}}"),
            "57e50f4799762a31");
}

TEST(CellHash, DependsOnTaskEarlyStoppingAndParametersAlone) {
  const std::set<std::string> different = {
      cell_hash(kCell),
      cell_hash("{study: s, task: choice-sets, parameters: {depth: 3, width: 11}}"),
      cell_hash("{study: s, task: choice-sets, parameters: {depth: 3, width: 10, lr: 1}}"),
      cell_hash("{study: s, task: choice-sets, parameters: {depth: 3, width: 10}, early_stopping: "
                "{metric: val_mse}}"),
      cell_hash("{study: s, trainer: {command: [x]}, parameters: {depth: 3, width: 10}}")};
  EXPECT_EQ(different.size(), 5u);
  EXPECT_EQ(cell_hash(kCell),
            cell_hash("{study: other, task: choice-sets, seeds: 5, parameters: {depth: 3}, stages: "
                      "{x: {grid: {width: [10]}}}, report: {caption: c}}"));
}

TEST(StudyHash, StaysTheSameFromVersionToVersion) {
  EXPECT_EQ(parse(kCell).hash, "b85553d8b1a3df8fd6fcb779bf861873");
}

TEST(StudyHash, IsOfTheContentNotTheText) {
  EXPECT_EQ(parse(kCell).hash,
            parse("# comment\ntask: choice-sets\nstudy: s\nseeds: 1\nparameters:\n"
                  "  width: 1e1\n  depth: 3\n")
                .hash);
}

TEST(StudyHash, DependsOnEveryPart) {
  const std::string head = "{study: s, trainer: {command: [x]}, ";
  std::set<std::string> hashes;
  const std::vector<std::string> texts = {
      head + "}",
      "{study: t, trainer: {command: [x]}}",
      "{study: s, trainer: {command: [y]}}",
      "{study: s, trainer: {command: [x], persistent: true}}",
      "{study: s, trainer: {command: [x], ready_seconds: 1}}",
      "{study: s, trainer: {command: [x], hang_seconds: 1}}",
      "{study: s, task: choice-sets, parameters: {depth: 1, width: 1}}",
      head + "parameters: {a: 1}}",
      head + "seeds: 2}",
      head + "early_stopping: {metric: m}}",
      head + "grid: {a: [1, 2]}}",
      head + "grid: {a: [2, 1]}}",
      head + "grid: {a: [1, 2], b: [1]}}",
      head + "grid: {b: [1], a: [1, 2]}}",
      head + "cases: [{a: 1, b: 1}]}",
      head + "cases: [{b: 1, a: 1}]}",
      head + "stages: {x: {grid: {a: [1, 2]}}}}",
      head + "stages: {x: {grid: {a: [1, 2]}}, y: {best: {of: x, by: m}}}}",
      head + "stages: {x: {grid: {a: [1, 2]}}, y: {best: {of: x, by: m, count: 2}}}}",
      head + "stages: {x: {grid: {a: [1, 2]}}, y: {best: {of: x, by: n}}}}",
      head + "stages: {x: {grid: {a: [1, 2]}}, y: {best: {of: x, by: m, goal: max}}}}",
      head + "stages: {x: {grid: {a: [1, 2]}}, y: {best: {of: x, by: m, take: [a]}}}}",
      head + "stages: {x: {grid: {a: [1, 2]}}, y: {parameters: {c: 1}, best: {of: x, by: m}}}}",
      head + "report: {columns: [a]}}",
      head + "report: {columns: {a: A}}}",
      head + "report: {columns: [{key: a, last_epochs: 5}]}}",
      head + "report: {sort_by: a}}",
      head + "report: {descending: true}}",
      head + "report: {caption: a}}",
      head + "report: {figures: []}}",
      head + "report: {figures: [{kind: confusion}]}}",
      head + "report: {figures: [{kind: class-accuracy}]}}",
      head + "report: {figures: [{kind: confusion, title: t}]}}",
      head + "report: {figures: [{kind: confusion, where: {a: 1}}]}}",
      head + "report: {figures: [{kind: curves, metric: a}]}}",
      head + "report: {figures: [{kind: curves, metric: a, log_y: true}]}}"};
  for (const std::string& text : texts) EXPECT_TRUE(hashes.insert(parse(text).hash).second) << text;
}

class RoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, TheEffectiveTextIsTheSameStudy) {
  const Study study = parse(GetParam());
  const Study again = parse_study(study.text, "again");
  EXPECT_EQ(again.hash, study.hash);
  EXPECT_EQ(again.text, study.text);
  const Expansion before = expand(study), after = expand(again);
  EXPECT_EQ(after.varying, before.varying);
  ASSERT_EQ(after.cells.size(), before.cells.size());
  for (std::size_t i = 0; i < before.cells.size(); ++i) {
    EXPECT_EQ(after.cells[i].hash, before.cells[i].hash);
    EXPECT_EQ(after.cells[i].parameters.dump(), before.cells[i].parameters.dump());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Studies, RoundTrip,
    testing::Values(
        "{study: s, trainer: {command: [x]}}",
        "{study: 1e3, trainer: {command: [x, '', 'a b', \"5\", '~', -1.50]}}",
        "{study: s, task: choice-sets, seeds: [4, 2], parameters: {depth: 3}, grid: {width: [2, "
        "1]}}",
        "{study: s, trainer: {command: [x]}, cases: [{z: 1, a: '1'}, {a: 'true', y: 0.1}], "
        "grid: {m: [1.0, 2, '3', no, true]}}",
        "{study: s, trainer: {command: [x]}, parameters: {a: 'null', b: \"x: y # z\", c: 'é \\n'}}",
        "{study: s, trainer: {command: [x]}, parameters: {a: 1.0e-7, b: 123456789.123456789}}",
        "{study: s, trainer: {command: [x]}, parameters: {true: 1, null_: 2, y: 3}}",
        "{study: s, trainer: {command: [x]}, parameters: {a: 1}, stages: {main: {grid: {a: [1, "
        "2]}}}}",
        "{study: s, trainer: {command: [x]}, stages: {main: {}}}",
        "{study: s, trainer: {command: [x]}, stages: {1: {grid: {a: [1, 2]}}, no: {parameters: {k: "
        "v}, best: {of: 1, by: 'm: m', count: 2, goal: max, take: [a]}}}}",
        "{study: s, trainer: {command: [x]}, report: {columns: [{key: a, label: 'A: b'}, '5', "
        "{key: '5', last_epochs: 3}], sort_by: a, "
        "descending: true, caption: 'it''s \"x\"'}, early_stopping: {metric: 1, min_delta: "
        "1e-3}}",
        "{study: s, trainer: {command: [x]}, grid: {a: [1, '2']}, report: {figures: [{kind: "
        "curves, metric: [x, 'y: z'], by: a, where: {a: [1, '2'], b: true}, log_y: true}, {name: "
        "'5', kind: scatter, x: a, y: x, label: [a, seed], x_label: 'it''s', log_x: true, stage: "
        "main, title: t}]}}",
        "{study: s, trainer: {command: [x]}, report: {figures: []}}"));

}  // namespace
}  // namespace windrow::sweeps
