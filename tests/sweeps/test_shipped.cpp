// The studies that ship, and the reference page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "sweeps/study.h"
#include "sweeps/study_keys.h"
#include "sweeps/tasks/task_schema.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::filesystem::path kSource = WINDROW_SOURCE_DIR;

Study shipped(const std::string& name) {
  return load_study(kSource / "sweeps/studies" / (name + ".yaml"));
}

std::vector<std::string> shown(const Expansion& expansion) {
  std::vector<std::string> lines;
  for (const Cell& cell : expansion.cells) {
    std::string& line = lines.emplace_back();
    for (const std::string& key : expansion.varying)
      line += (line.empty() ? "" : " ") + cell.parameters[key].dump();
  }
  return lines;
}

TEST(Quickstart, HasTheEightConfigurationsOfP3) {
  const Study study = shipped("quickstart");
  const Expansion expansion = expand(study);
  EXPECT_THAT(expansion.varying, ElementsAre("depth", "width"));
  EXPECT_THAT(shown(expansion),
              ElementsAre("3 100", "3 200", "3 10", "2 10", "2 200", "2 100", "3 5", "5 2"));
  EXPECT_EQ(expansion.cells[0].parameters["train_sets"], 20000);
  EXPECT_EQ(study.early_stopping,
            (protocol::EarlyStopping{"val_mse", protocol::Goal::minimize, 5, 0, true}));
  std::vector<std::string> headings;
  for (const ReportColumn& column : study.report.columns) headings.push_back(column.label);
  EXPECT_THAT(headings, ElementsAre("L", "w", "Test MSE", "Train MSE", "Val MSE", "parameters",
                                    "time (s)", "epochs"));
  EXPECT_EQ(study.report.sort_by, "test_mse");
}

TEST(P3, IsTheSameAtFullSize) {
  const Expansion full = expand(shipped("p3"));
  EXPECT_EQ(shown(full), shown(expand(shipped("quickstart"))));
  for (const Cell& cell : full.cells) {
    EXPECT_EQ(cell.parameters["train_sets"], 200000);
    EXPECT_EQ(cell.parameters["test_sets"], 200000);
  }
}

TEST(P1, HasTwoStagesOfFiveAndSelectsTheBestTwo) {
  const Study study = shipped("p1");
  const Expansion before = expand(study);
  std::vector<std::string> cells;
  for (const Cell& cell : before.cells)
    if (!cell.parameters["epsilon_in_root"].get<bool>())
      cells.push_back(cell.parameters["optimizer"].get<std::string>() + " " +
                      cell.parameters["dropout"].dump());
  EXPECT_THAT(
      cells, ElementsAre("sgd 0.0", "nesterov 0.0", "adagrad 0.0", "rmsprop 0.0", "adam 0.0",
                         "sgd 0.25", "nesterov 0.25", "adagrad 0.25", "rmsprop 0.25", "adam 0.25"));
  CellMetrics metrics;
  const std::vector<double> losses = {2.0, 1.9, 1.7, 0.9, 0.8};
  for (std::size_t i = 0; i < losses.size(); ++i)
    metrics[before.cells[i].hash] = {{"train_loss", losses[i]}};
  const Expansion after = expand(study, metrics, {"optimizers"});
  ASSERT_EQ(after.cells.size(), 22u)
      << "ten, five rates of two, of which two were there, and four with Keras' constants";
  EXPECT_THAT(after.cells[9].stages,
              ElementsAre("dropout-25", "dropout-rates", "keras-dropout-25"));
  EXPECT_EQ(after.cells[10].parameters["optimizer"], "adam");
  EXPECT_EQ(after.cells[10].parameters["dropout"], 0.1);
  EXPECT_EQ(after.cells[0].parameters["steps_per_epoch"], 50);
  EXPECT_EQ(after.cells[0].parameters["epochs"], 100);
}

// Keras' constants; where the optimizers have none, the cells are those of the other stages.
TEST(P1, RepeatsAdagradAndRmspropAsKerasComputesThem) {
  std::vector<std::string> own;
  int shared = 0;
  for (const Cell& cell : expand(shipped("p1")).cells) {
    const bool keras = cell.stages.back().starts_with("keras-");
    shared += keras && cell.stages.size() == 2;
    if (!keras || cell.stages.size() > 1) continue;
    const Json& p = cell.parameters;
    own.push_back(p["optimizer"].get<std::string>() + " " + p["dropout"].dump());
    EXPECT_TRUE(p["epsilon_in_root"].get<bool>());
    EXPECT_EQ(p["initial_accumulator"], 0.1);
    EXPECT_EQ(p["epsilon"].is_null() ? default_epsilon("adagrad") : p["epsilon"].get<double>(),
              1e-7);
    if (p["optimizer"] == "rmsprop") {
      EXPECT_EQ(p["alpha"], 0.9);
    }
  }
  EXPECT_THAT(own, ElementsAre("adagrad 0.0", "rmsprop 0.0", "adagrad 0.25", "rmsprop 0.25"));
  EXPECT_EQ(shared, 6);
}

// The settings that docs/studies.md has for the three models.
TEST(P2, HasThreeModelsEachWithItsOwnSettings) {
  const Study study = shipped("p2");
  const Expansion expansion = expand(study);
  ASSERT_EQ(expansion.cells.size(), 3u);
  const Json& cnn3 = expansion.cells[0].parameters;
  EXPECT_EQ(cnn3["model"], "cnn3");
  EXPECT_EQ(cnn3["optimizer"], "adam");
  EXPECT_EQ(cnn3["lr"], 0.001);
  EXPECT_GT(cnn3["dropout"], 0);
  EXPECT_EQ(cnn3["batch"], 32);
  EXPECT_EQ(cnn3["flip"], false);
  const Json& resnet9 = expansion.cells[1].parameters;
  EXPECT_EQ(resnet9["model"], "resnet9");
  EXPECT_EQ(resnet9["optimizer"], "adamw");
  EXPECT_EQ(resnet9["schedule"], "constant");
  EXPECT_GT(resnet9["weight_decay"], 0);
  EXPECT_EQ(resnet9["decay"], "all");
  EXPECT_FALSE(resnet9["clip_value"].is_null() && resnet9["clip_norm"].is_null());
  EXPECT_EQ(resnet9["flip"], true);
  EXPECT_EQ(resnet9["translate"], 4);
  EXPECT_EQ(resnet9["batch"], 400);
  const Json& resnet = expansion.cells[2].parameters;
  EXPECT_EQ(resnet["model"], "resnet");
  EXPECT_EQ(resnet["depth"], 20);
  EXPECT_EQ(resnet["optimizer"], "adamw");
  EXPECT_EQ(resnet["schedule"], "plateau");
  EXPECT_GT(resnet["dropout"], 0);
  EXPECT_EQ(resnet["flip"], true);
  for (const char* augmentation : {"translate", "rotate", "zoom"})
    EXPECT_GT(resnet[augmentation], 0) << augmentation;
  EXPECT_EQ(resnet["batch"], 128);
  std::vector<std::string> columns;
  for (const ReportColumn& column : study.report.columns) columns.push_back(column.key);
  EXPECT_THAT(columns, ElementsAre("model", "val_loss", "val_top1_error", "val_top5_error",
                                   "val_loss", "val_top1_error", "val_top5_error", "parameters",
                                   "epochs", "wall_seconds"));
}

TEST(ShippedStudies, ChoicesOfP2BeginWithItsCells) {
  const Expansion p2 = expand(shipped("p2"));
  const Study choices = shipped("p2-choices");
  ASSERT_EQ(choices.stages.size(), p2.cells.size());
  const Expansion expansion = expand(choices);
  for (std::size_t i = 0; i < p2.cells.size(); ++i) {
    const auto first = std::ranges::find_if(expansion.cells, [&](const Cell& cell) {
      return cell.parameters["model"] == p2.cells[i].parameters["model"];
    });
    ASSERT_NE(first, expansion.cells.end());
    EXPECT_EQ(first->hash, p2.cells[i].hash) << choices.stages[i].name;
  }
}

TEST(ShippedStudies, DrawTheFiguresOfTheReport) {
  const auto names = [](const char* study) {
    std::vector<std::string> names;
    const auto figures = shipped(study).report.figures.value();
    for (const Figure& figure : figures)
      names.push_back(figure.name + " of " + to_string(figure.kind));
    return names;
  };
  EXPECT_THAT(names("p1"),
              ElementsAre("train-loss-optimizers of curves", "train-loss-dropout of curves",
                          "train-loss-rates of curves", "validation-error-optimizers of curves"));
  EXPECT_THAT(names("p3"), ElementsAre("error-by-parameters of scatter", "error-by-time of scatter",
                                       "learning-curves of curves"));
  EXPECT_EQ(names("quickstart"), names("p3"));
  EXPECT_THAT(names("p2"),
              ElementsAre("loss-cnn3 of curves", "loss-resnet9 of curves", "loss-resnet of curves",
                          "top1-cnn3 of curves", "top1-resnet9 of curves", "top1-resnet of curves",
                          "confusion of confusion", "class-accuracy of class-accuracy"));
}

TEST(ShippedStudies, AllParseAndExpand) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "sweeps/studies")) {
    EXPECT_FALSE(expand(load_study(entry.path())).cells.empty()) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 3);
}

// docs/study-file.md by its headings: "## `early_stopping`" -> its text.
std::string documented(const std::string& heading) {
  std::ifstream in(kSource / "docs/study-file.md");
  std::string line, text;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line.starts_with("##")) inside = line.ends_with(" " + heading);
    if (inside) text += line + "\n";
  }
  return text;
}

TEST(Reference, DescribesEveryKeyInItsSection) {
  for (const Section section : kSections) {
    const std::string heading = section == Section::study    ? "The study"
                                : section == Section::column ? "`report`"
                                : section == Section::expected
                                    ? "`finding`"
                                    : "`" + std::string(to_string(section)) + "`";
    for (const KeySpec& key : keys_of(section))
      EXPECT_THAT(documented(heading), HasSubstr("| `" + key.name + "` |")) << heading;
  }
}

TEST(Reference, DescribesEveryParameterAndMetricWithItsDefault) {
  for (const std::string& name : task_names()) {
    const TaskSpec& task = *find_task(name);
    const std::string text = documented("`" + name + "`");
    for (const ParameterSpec& spec : task.parameters) {
      const std::string value = !spec.default_value ? "required"
                                : spec.default_value->is_string()
                                    ? spec.default_value->get<std::string>()
                                    : spec.default_value->dump();
      EXPECT_THAT(text, HasSubstr("| `" + spec.name + "` | " + domain(spec) + " | " + value +
                                  " | " + spec.help + " |"));
    }
    for (const auto* metrics : {&task.metrics, &task.result_metrics, &task.facts})
      for (const MetricSpec& metric : *metrics)
        EXPECT_THAT(text, HasSubstr("| `" + metric.name + "` | " + metric.help + " |"));
  }
}

TEST(Reference, ItsExamplesAreStudies) {
  std::ifstream in(kSource / "docs/study-file.md");
  std::string line, example;
  bool inside = false;
  int count = 0;
  while (std::getline(in, line)) {
    if (inside && line == "```") {
      inside = false;
      EXPECT_NO_THROW(expand(parse_study(example, "docs/study-file.md"))) << example;
      ++count;
    } else if (inside) {
      example += line + "\n";
    } else if (line == "```yaml") {
      inside = true;
      example.clear();
    }
  }
  EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace windrow::sweeps
