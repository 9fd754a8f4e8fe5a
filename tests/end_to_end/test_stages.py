"""Stages that select from others, failed trials in tables, and findings: the form of study P1."""

import csv
import io
import json
import unittest

from support import FAKE, WindrowTest, wait_until


class Stages(WindrowTest):
    def study(self, findings="", metric="loss", count=2, seeds=2, **parameters):
        """P1 with x as the optimizer and y as the dropout rate; loss = (1 + x) / epoch + y."""
        parameters = {"epochs": 2, **parameters}
        return self.write(
            "p1.yaml",
            f"""
study: p1
trainer: {{command: [{FAKE}], persistent: true}}
parameters: {json.dumps(parameters)}
seeds: {seeds}
stages:
  optimizers:
    grid: {{x: [1, 2, 3, 4, 5], y: [0]}}
  dropout-25:
    grid: {{x: [1, 2, 3, 4, 5], y: [0.25]}}
  dropout-rates:
    best: {{count: {count}, of: optimizers, by: {metric}, goal: min, take: [x]}}
    grid: {{y: [0.1, 0.25, 0.4]}}
report:
  columns: {{x: optimizer, y: rate, loss: Loss}}
  sort_by: loss
{findings}
""",
        )

    def test_a_stage_begins_before_an_unrelated_one_is_over(self):
        gate = self.folder / "gate"
        study = self.study(wait_file=str(gate), wait_x=5, wait_y=0.25)
        run = self.start("run", study, "--db", self.db, "--slots", 4)
        # All of the selecting stage but what is shared, while two trials of dropout-25 still run.
        wait_until(
            "the rates stage",
            lambda: self.count(
                "SELECT count(*) FROM trials WHERE stages = 'dropout-rates' AND state = 'finished'"
            )
            == 8,
        )
        self.assertEqual(
            self.rows("SELECT stages, state, count(*) FROM trials WHERE x = 5 AND y = 0.25"),
            [("dropout-25", "running", 2)],
        )
        gate.touch()
        self.finish(run)
        self.assert_each_trial_finished_once(28, 2)
        # The two lowest losses were chosen, and their cells at 0.25 were not run again.
        self.assertEqual(
            self.rows(
                "SELECT x, y, max(attempts) FROM trials WHERE stages LIKE '%dropout-rates' "
                "GROUP BY x, y ORDER BY x, y"
            ),
            [(x, y, 1) for x in (1, 2) for y in (0.1, 0.25, 0.4)],
        )
        self.assertEqual(
            self.rows("SELECT DISTINCT x FROM trials WHERE stages = 'dropout-25,dropout-rates'"),
            [(1,), (2,)],
        )

    def said_everywhere(self, study, reason):
        """By the run's end, plan and status; the exit code is 1, and stays so."""
        self.run_study(study, "--slots", 2, expect=1)
        self.assertIn(f"stage dropout-rates: {reason}", self.err)
        self.assertIn(reason, self.windrow("plan", study, "--db", self.db))
        self.assertIn(f"dropout-rates: {reason}", self.windrow("status", "--db", self.db))
        summary = json.loads(self.run_study(study, "--json", expect=1))
        self.assertEqual(summary["epochs"], 0)

    def test_selecting_from_trials_that_all_failed(self):
        self.said_everywhere(
            self.study(fail_epoch=2, fail_kind="nan"),
            "no trial of stage optimizers finished, so none of its cells is the best",
        )
        self.assertEqual(
            self.rows("SELECT state, failure, attempts, count(*) FROM trials"),
            [("failed", "nan", 1, 20)],
        )

    def test_a_metric_that_no_trial_reported(self):
        self.said_everywhere(
            self.study(metric="accuracy"),
            "no cell of stage optimizers has a number as metric accuracy; its trials report",
        )

    def test_fewer_cells_than_wanted(self):
        self.said_everywhere(
            self.study(count=3, fail_epoch=1, fail_kind="nan", failing_x=3),
            "selects 2 of the 3 wanted: only so many of the 5 cells of stage optimizers have a "
            "number as metric loss",
        )
        self.assertEqual(
            self.rows("SELECT DISTINCT x FROM trials WHERE stages LIKE '%rates' ORDER BY x"),
            [(4,), (5,)],
        )

    def test_failed_cells_are_named_in_the_table_and_never_averaged(self):
        study = self.study(fail_epoch=2, fail_kind="nan", failing_x=1)
        self.run_study(study, "--slots", 2, expect=1)
        lines = self.windrow("table", "--db", self.db, "--stage", "optimizers").splitlines()
        self.assertEqual(lines[0].split(), ["optimizer", "rate", "Loss", "n", "not", "counted", "−", "best", "p"])
        self.assertIn("failed (nan)", lines[6])  # sorted last
        self.assertIn("2 of 2 failed: nan", lines[6])
        self.assertRegex(lines[2], r"^ *2 +0 +1\.500.* \*")
        table = list(
            csv.DictReader(
                io.StringIO(
                    self.windrow("table", "--db", self.db, "--stage", "optimizers", "--format", "csv")
                )
            )
        )
        self.assertEqual([row["optimizer"] for row in table], ["2", "3", "4", "5", "1"])
        self.assertEqual(table[4]["Loss"], "")
        self.assertEqual((table[4]["n"], table[4]["failed"], table[4]["failures"]), ("0", "2", "nan"))
        self.assertEqual((table[0]["is_best"], table[0]["difference"]), ("1", ""))
        self.assertAlmostEqual(float(table[1]["difference"]), 0.5)
        self.assertEqual(table[1]["difference_n"], "2")
        self.assertLess(float(table[1]["p"]), 1e-6)
        self.assertEqual(float(table[1]["p_holm"]), 3 * float(table[1]["p"]))

    def test_a_seed_without_a_number_is_not_counted_and_said_so(self):
        # Programs of one's own may report NaN and go on: such a trial is finished, without a number.
        study = self.study(nan_epoch=2)
        self.run_study(study, "--slots", 2, expect=1)
        lines = self.windrow("table", "--db", self.db, "--stage", "optimizers").splitlines()
        self.assertIn("2 without a number", lines[2])

    def test_what_is_compared_and_how_is_the_users_choice(self):
        study = self.study()
        self.run_study(study, "--slots", 2)

        def table(*arguments):
            out = self.windrow("table", "--db", self.db, "--stage", "optimizers", "--json", *arguments)
            return {row["optimizer"]: row for row in json.loads(out)}

        largest = table("--compare", "-loss")
        self.assertEqual([x for x, row in largest.items() if row["is_best"]], [5])
        self.assertAlmostEqual(largest[4]["difference"], -0.5)
        latex = self.windrow("table", "--db", self.db, "--stage", "optimizers", "--format", "latex")
        self.assertIn("\\textbf{1.00", latex)
        self.assertIn("$\\pm$", latex)
        self.windrow("table", "--db", self.db, "--compare", "lss", expect=2)
        self.assertIn('no column "lss"', self.err)
        text = self.windrow("table", "--db", self.db, "--adjust", "none")
        self.assertIn("as it is", text)
        # The report is the file's, where the file is named.
        study.write_text(study.read_text().replace("loss: Loss", "loss: Loss (new)"))
        self.assertIn("Loss (new)", self.windrow("table", study, "--db", self.db))
        self.assertNotIn("Loss (new)", self.windrow("table", "--db", self.db))

    def test_truth_values_are_shown_as_the_study_file_has_them(self):
        print_bias = (
            "import json, os; bias = json.loads(os.environ['WINDROW_PARAMETERS'])['bias']; "
            "print(json.dumps({'epoch': 1, 'loss': 2 - bias}))"
        )
        self.run_study(self.write(
            "bias.yaml",
            f"study: bias\ntrainer: {{command: [python3, -c, {json.dumps(print_bias)}]}}\n"
            "grid: {bias: [true, false]}\n"
            "report: {sort_by: bias, columns: [bias, loss], compare: {metric: loss, goal: min}, "
            "figures: [{name: loss, kind: curves, metric: loss, by: bias}]}\n",
        ))
        table = ("table", "--db", self.db, "--format")
        self.assertIn("| false |", self.windrow(*table, "markdown").splitlines()[2])
        self.assertEqual(self.windrow(*table, "csv").split()[2], "true,1,")
        rows = json.loads(self.windrow(*table, "json"))
        self.assertEqual([row["bias"] for row in rows], [False, True])
        self.windrow("report", "--db", self.db, "-o", self.folder / "bias.html")
        self.assertIn("bias true", (self.folder / "bias.html").read_text())
        self.assertEqual(self.rows("SELECT bias FROM trials ORDER BY bias"), [(0,), (1,)])

    def test_of_one_seed_the_table_says_that_nothing_is_compared(self):
        study = self.study(seeds=1, fail_epoch=2, fail_kind="nan", failing_x=1)
        self.run_study(study, "--slots", 2, expect=1)
        table = self.windrow("table", "--db", self.db, "--stage", "optimizers")
        self.assertIn("one seed a cell: no intervals and no comparison", self.err)
        self.assertIn("failed (nan)", table.splitlines()[-1])
        rows = json.loads(self.windrow("table", "--db", self.db, "--stage", "optimizers", "--json"))
        self.assertEqual((rows[-1]["Loss"], rows[-1]["failure"]), (None, "nan"))

    def test_findings_are_checked_and_can_be_edited_after_the_run(self):
        findings = """
  findings:
    - {claim: y raises the loss, kind: compare, metric: loss, parameter: y, higher: 0.25, lower: 0}
    - {claim: further and further, kind: trend, stage: dropout-rates, metric: loss, parameter: y, direction: rising}
    - {claim: 1 is best, kind: best, stage: optimizers, metric: loss, parameter: x, values: [1]}
"""
        self.run_study(self.study(findings), "--slots", 2)
        found = json.loads(self.windrow("findings", "--db", self.db, "--json"))
        self.assertEqual(
            [(f["verdict"], f["held"], f["known"]) for f in found["findings"]],
            [("holds", 5, 5), ("holds", 2, 2), ("holds", 1, 1)],
        )
        check = found["findings"][0]["checks"][0]
        self.assertAlmostEqual(check["difference"], 0.25)
        self.assertEqual((check["what"], check["n"]), ("x=1", 2))
        study = self.study(findings.replace("values: [1]", "values: [4]"))
        out = self.windrow("findings", study, "--db", self.db, "--strict", expect=1)
        self.assertIn("does not hold", out)
        self.windrow("findings", "--db", self.db, "--strict")

    def test_findings_of_an_unfinished_study_say_what_is_missing(self):
        findings = """
  findings:
    - {claim: further and further, kind: trend, stage: dropout-rates, metric: loss, parameter: y, direction: rising}
"""
        gate = self.folder / "gate"
        study = self.study(findings, wait_file=str(gate), wait_x=5, wait_y=0)
        run = self.start("run", study, "--db", self.db, "--slots", 4)
        wait_until("results", lambda: self.count("SELECT count(*) FROM trials WHERE state = 'finished'") > 4)
        out = self.windrow("findings", "--db", self.db)
        self.assertIn("not yet known: stage dropout-rates: waits for stage optimizers", out)
        self.windrow("table", "--db", self.db)
        self.assertIn("stage dropout-rates has no cells: waits for stage optimizers", self.err)
        gate.touch()
        self.finish(run)
        self.assertIn("holds in 2 of 2", self.windrow("findings", "--db", self.db))


if __name__ == "__main__":
    unittest.main()
