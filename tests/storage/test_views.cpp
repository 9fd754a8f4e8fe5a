// The views: their columns, and values that were computed by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"
#include "storage/names.h"
#include "temporary_folder.h"

namespace windrow::storage {
namespace {

using protocol::FailureKind;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class ViewTest : public ::testing::Test {
 protected:
  std::vector<std::string> rows(const std::string& sql) { return storage::rows(file, sql); }
  std::vector<std::string> columns(const std::string& view) {
    return Reader(file).query("SELECT * FROM " + view).columns;
  }

  TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
  Store store{file};
};

TEST_F(ViewTest, ColumnsAreAsDocumented) {
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial, 1, {{"weights", 21001}, {"note", "no number"}}));
  store.record(epoch(trial, 1, {{"loss", 1}}));
  store.record(finished(trial, 1, {{"test_loss", 2}}));
  store.flush();
  EXPECT_THAT(columns("trials"),
              ElementsAre("trial", "study", "stages", "cell", "seed", "state", "attempts", "epochs",
                          "lr", "optimizer", "weights", "loss", "test_loss", "wall_seconds",
                          "failure", "host", "device"));
  EXPECT_THAT(columns("epochs"), ElementsAre("trial", "epoch", "attempt", "members", "wall_seconds",
                                             "state_hash", "committed_at", "loss"));
  EXPECT_THAT(columns("attempts"),
              ElementsAre("trial", "attempt", "host", "rank", "slots", "gang", "threads", "device",
                          "device_kind", "precision", "versions", "info", "began_at", "ended_at",
                          "outcome", "resumed_from_epoch", "unread_lines", "node", "job",
                          "job_restarts", "job_ends_at", "cpu_seconds", "peak_memory",
                          "peak_device_memory", "program", "source", "taken_back", "environment"));
  EXPECT_THAT(columns("programs"), ElementsAre("program", "command", "files", "recorded_at"));
  EXPECT_THAT(columns("sources"),
              ElementsAre("source", "git_commit", "git_dirty", "git_diff", "recorded_at"));
  EXPECT_THAT(columns("environments"), ElementsAre("environment", "facts"));
  EXPECT_THAT(columns("failures"), ElementsAre("trial", "attempt", "kind", "message", "exit_code",
                                               "signal", "host", "slot", "stderr_tail"));
  EXPECT_THAT(columns("summary"),
              ElementsAre("study", "stages", "cell", "lr", "optimizer", "n", "weights_mean",
                          "weights_sd", "weights_ci95", "weights_n", "loss_mean", "loss_sd",
                          "loss_ci95", "loss_n", "test_loss_mean", "test_loss_sd", "test_loss_ci95",
                          "test_loss_n", "epochs_mean", "epochs_sd", "epochs_ci95",
                          "wall_seconds_mean", "wall_seconds_sd", "wall_seconds_ci95"));
}

TEST_F(ViewTest, TrialsShowTheResultElseTheLastEpochElseFacts) {
  const auto trials = store.reconcile(kStudy, some_cells(1), {0, 1, 2});
  for (const auto& trial : trials) store.record(began(trial.id, 1, {{"weights", 21001}}));
  for (int i = 0; i < 2; ++i) {
    store.record(epoch(trials[i].id, 1, {{"loss", 3}, {"top1", 0.1}}, 1, 0.5));
    store.record(epoch(trials[i].id, 2, {{"loss", 2}, {"top1", 0.2}}, 1, 0.75));
  }
  store.record(finished(trials[0].id, 2, {{"loss", 1.5}, {"test_loss", 1.75}}));
  store.flush();
  EXPECT_THAT(
      rows("SELECT state, epochs, weights, loss, top1, test_loss, wall_seconds, host, device "
           "FROM trials"),
      ElementsAre("finished|2|21001|1.5|0.2|1.75|1.25|n1|cpu",
                  "running|2|21001|2|0.2|null|1.25|n1|cpu",
                  "running|0|21001|null|null|null|null|n1|cpu"));
  EXPECT_THAT(rows("SELECT epoch, attempt, wall_seconds, loss, top1 FROM epochs WHERE trial = 1"),
              ElementsAre("1|1|0.5|3|0.1", "2|1|0.75|2|0.2"));
  EXPECT_THAT(rows("SELECT committed_at FROM epochs LIMIT 1")[0],
              MatchesRegex("20..-..-..T..:..:......Z"));
}

TEST_F(ViewTest, ParametersOfEveryType) {
  const Json parameters = {{"flag", true},   {"off", false}, {"none", nullptr},
                           {"size", 12},     {"rate", 0.25}, {"text", "a|b's \"c\""},
                           {"list", {1, 2}}, {"a.b", 1},     {"quoted\"name", 2}};
  store.reconcile(kStudy, {{"c", parameters, {"main"}}}, {0});
  EXPECT_THAT(rows("SELECT flag, off, none, size, rate, text, list, \"a.b\", \"quoted\"\"name\" "
                   "FROM trials"),
              ElementsAre("1|0|null|12|0.25|a|b's \"c\"|[1,2]|1|2"));
}

TEST_F(ViewTest, AttemptsAndFailuresTellTheStory) {
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  auto gang = began(trial, 1);
  gang.slots = {SlotId{4}, SlotId{5}};
  store.record(SlotRecord{SlotId{3}, "n1", 2, "cpu", 1});
  store.record(SlotRecord{SlotId{4}, "n1", 2, "cpu", 1, {"4711_3", 2, "n7", 1767261600000}});
  store.record(gang);
  store.record(failed(trial, FailureKind::oom, false, 1));
  auto resumed = began(trial, 2);
  resumed.resumed_from_epoch = 6;
  store.record(resumed);
  store.record(failed(trial, FailureKind::nan, true, 2));
  store.flush();
  EXPECT_THAT(rows("SELECT trial, attempt, host, rank, slots, gang, device, versions, outcome, "
                   "resumed_from_epoch, ended_at >= began_at FROM attempts"),
              ElementsAre("1|1|n1|2|4,5|2|cpu|{\"trainer\":\"0.1\"}|oom|0|1",
                          "1|2|n1|2|3|1|cpu|{\"trainer\":\"0.1\"}|nan|6|1"));
  EXPECT_THAT(rows("SELECT node, job, job_restarts, job_ends_at FROM attempts"),
              ElementsAre("n7|4711_3|2|2026-01-01T10:00:00.000Z", "null|null|null|null"));
  EXPECT_THAT(rows("SELECT * FROM failures WHERE attempt = 2"),
              ElementsAre("1|2|nan|it broke|3|null|n1|3|Traceback"));
  EXPECT_THAT(rows("SELECT state, attempts, failure FROM trials"), ElementsAre("failed|2|nan"));
}

TEST_F(ViewTest, SummaryHasMeanDeviationAndHalfWidth) {
  const auto trials = store.reconcile(kStudy, some_cells(3), {0, 1, 2});
  const double loss[] = {1, 2, 4};
  for (int i = 0; i < 3; ++i) {
    store.record(began(trials[i].id));
    store.record(epoch(trials[i].id, 1, {{"loss", loss[i]}}, 1, 10.0 * (i + 1)));
    store.record(finished(trials[i].id, 1));
  }
  store.record(began(trials[3].id));  // of the second cell one of three seeds is finished
  store.record(finished(trials[3].id, 0, {{"loss", 5}}));
  store.record(began(trials[4].id));
  store.record(epoch(trials[4].id, 1, {{"loss", 1000}}));
  store.flush();
  // mean 7/3; sd sqrt(42/18); half-width 4.302653 sd / sqrt(3)
  EXPECT_THAT(rows("SELECT cell, n, loss_mean, loss_sd, loss_ci95 FROM summary"),
              ElementsAre("cell-0|3|2.33333|1.52753|3.79458", "cell-1|1|5|null|null",
                          "cell-2|0|null|null|null"));
  EXPECT_THAT(rows("SELECT epochs_mean, wall_seconds_mean, wall_seconds_sd FROM summary LIMIT 1"),
              ElementsAre("1|20|10"));
}

TEST_F(ViewTest, SummaryKeepsItsDigitsWhereSeedsLieClose) {
  const auto trials = store.reconcile(kStudy, some_cells(1), {0, 1});
  for (int i = 0; i < 2; ++i) {
    store.record(began(trials[i].id));
    store.record(finished(trials[i].id, 0, {{"loss", 1e9 + i}}));
  }
  store.flush();
  EXPECT_THAT(rows("SELECT loss_sd FROM summary"), ElementsAre("0.707107"));  // sqrt(1/2)
}

TEST_F(ViewTest, SummaryCountsOnlyNumbers) {
  const auto trials = store.reconcile(kStudy, some_cells(1), {0, 1, 2});
  const double loss[] = {1, std::nan(""), 3};
  for (int i = 0; i < 3; ++i) {
    store.record(began(trials[i].id));
    store.record(finished(trials[i].id, 0, {{"loss", loss[i]}}));
  }
  store.flush();
  // Two numbers 1 and 3: sd sqrt(2), half-width 12.706205 sqrt(2) / sqrt(2).
  EXPECT_THAT(rows("SELECT n, loss_n, loss_mean, loss_sd, loss_ci95 FROM summary"),
              ElementsAre("3|2|2|1.41421|12.7062"));
}

TEST_F(ViewTest, CollidingNamesGetSuffixes) {
  const Json parameters = {{"epochs", 100}, {"loss", "mse"}, {"Seed", 4}, {"n", 7}};
  const TrialId trial = store.reconcile(kStudy, {{"c", parameters, {"main"}}}, {0})[0].id;
  store.record(began(trial));
  store.record(epoch(trial, 1, {{"LOSS", 0.5}, {"state", 3}}));
  store.record(finished(trial, 1));
  store.flush();
  EXPECT_THAT(rows("SELECT epochs, epochs_parameter, loss, Seed_parameter, n_parameter, "
                   "LOSS_metric, state, state_metric FROM trials"),
              ElementsAre("1|100|mse|4|7|0.5|finished|3"));
  EXPECT_THAT(rows("SELECT LOSS_metric, state_metric FROM epochs"), ElementsAre("0.5|3"));
  EXPECT_THAT(rows("SELECT n, n_parameter, LOSS_metric_mean FROM summary"), ElementsAre("1|7|0.5"));
}

TEST_F(ViewTest, ANewMetricGetsItsColumnInTheSameTransaction) {
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  store.record(epoch(trial, 1, {{"loss", 1}}));
  store.flush();
  store.record(epoch(trial, 2, {{"loss", 1}, {"late", 4}}));
  store.flush();
  EXPECT_THAT(rows("SELECT late FROM epochs"), ElementsAre("null", "4"));
}

// SQLite has a limit of columns, and one study's many names must not close the file to others.
TEST_F(ViewTest, WithManyMetricsTheWideViewsHaveTheFirstAndTheLongOnesAll) {
  const TrialId trial = store.reconcile(kStudy, some_cells(1), {0})[0].id;
  store.record(began(trial));
  protocol::Metrics many = {{"loss", 0.5}};
  for (int i = 0; i < 2500; ++i) many["class_" + std::to_string(10000 + i)] = i;
  store.record(epoch(trial, 1, many));
  store.flush();
  EXPECT_THAT(rows("SELECT class_10000, class_10373, loss FROM trials"), ElementsAre("0|373|0.5"));
  EXPECT_THAT(rows("SELECT count(*), max(value) FROM trial_metrics"), ElementsAre("2501|2499"));
  store.record(finished(trial, 1, {{"class_12400", 7.5}}));
  store.flush();
  EXPECT_THAT(rows("SELECT class_10373_mean FROM summary"), ElementsAre("373"));
  EXPECT_THAT(rows("SELECT value FROM trial_metrics WHERE metric = 'class_12400'"),
              ElementsAre("7.5"));
  EXPECT_THAT(rows("SELECT trial, epoch, value FROM epoch_metrics WHERE metric = 'class_12499'"),
              ElementsAre("1|1|2499"));
  EXPECT_EQ(Reader(file).tables("p1").trials.columns.size(), 8u + 2 + 2501 + 4);
}

TEST_F(ViewTest, TablesHaveWhatTheViewsHave) {
  const auto trials = store.reconcile(kStudy, some_cells(2), {0, 1, 2});
  for (const auto& trial : trials) {
    store.record(began(trial.id, 1, {{"weights", 21001}}));
    store.record(epoch(trial.id, 1, {{"loss", 3.0 + trial.id.value}, {"top1", 0.1}}, 1, 0.5));
    store.record(epoch(trial.id, 2, {{"loss", 2.0 / trial.id.value}, {"top1", 0.2}}, 1, 0.75));
  }
  for (const int i : {0, 1, 3}) store.record(finished(trials[i].id, 2, {{"test_loss", 0.1 * i}}));
  store.record(failed(trials[4].id, protocol::FailureKind::nan, true));
  store.flush();
  Reader reader(file);
  EXPECT_EQ(reader.tables("p1").trials.columns, reader.query("SELECT * FROM trials").columns);
  EXPECT_EQ(reader.tables("p1").trials.rows,
            reader.query("SELECT * FROM trials ORDER BY trial").rows);
  const ResultTable table = reader.tables("p1").summary,
                    view = reader.query("SELECT * FROM summary");
  EXPECT_EQ(table.columns, view.columns);
  ASSERT_EQ(table.rows.size(), view.rows.size());
  for (std::size_t row = 0; row < table.rows.size(); ++row)
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Value &ours = table.rows[row][i], &views = view.rows[row][i];
      ASSERT_EQ(ours.index(), views.index()) << table.columns[i];
      if (const auto* number = std::get_if<double>(&ours))
        EXPECT_DOUBLE_EQ(*number, std::get<double>(views)) << table.columns[i];
      else
        EXPECT_EQ(ours, views) << table.columns[i];
    }
}

// A study may call a metric what it likes: no column of a view means two things.
TEST_F(ViewTest, NoMetricTakesTheNameOfAFixedColumn) {
  store.flush();
  for (const char* view : {"trials", "epochs", "summary"})
    for (const std::string& column : columns(view)) {
      const Columns named = name_columns({}, {{1, column, true}});
      EXPECT_EQ(named.metrics.at(0).column, column + "_metric") << "of " << view;
    }
}

TEST(ColumnNames, SuffixesDoNotTakeOthersNames) {
  const auto columns = name_columns(
      {"loss", "loss_parameter", ""},
      {{1, "LOSS", true}, {2, "loss_metric", true}, {3, "x", true}, {4, "x_mean", true}});
  EXPECT_EQ(columns.parameters[0].column, "loss");
  EXPECT_EQ(columns.parameters[1].column, "loss_parameter");
  EXPECT_EQ(columns.parameters[2].column, "_parameter");
  EXPECT_EQ(columns.metrics[0].column, "LOSS_metric_metric");
  EXPECT_EQ(columns.metrics[1].column, "loss_metric");
  EXPECT_EQ(columns.metrics[2].mean, "x_mean_metric");
  EXPECT_EQ(columns.metrics[3].column, "x_mean");
}

}  // namespace
}  // namespace windrow::storage
