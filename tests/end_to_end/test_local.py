"""`windrow run` on one machine, with trainers that train nothing."""

import json
import os
import re
import unittest

from support import FAKE, SOURCE, WindrowTest


class Local(WindrowTest):
    def test_each_cell_is_run_once_and_a_second_run_has_nothing_to_do(self):
        study = self.fake_study()
        self.run_study(study, "--slots", 2)
        self.assert_each_trial_finished_once(4, 3)
        version = self.windrow("--version").strip()
        for (versions,) in self.rows("SELECT versions FROM attempts"):
            self.assertEqual(json.loads(versions)["windrow"], version)
        before = self.rows("SELECT * FROM epochs ORDER BY trial, epoch")
        summary = json.loads(self.run_study(study, "--slots", 2, "--json"))
        self.assertEqual((summary["finished"], summary["epochs"]), (4, 0))
        self.assertEqual(self.rows("SELECT * FROM epochs ORDER BY trial, epoch"), before)

    def test_metrics_of_a_trial_are_those_of_its_last_epoch(self):
        self.run_study(self.fake_study())
        # loss = (1 + x) / epoch + 0.001 seed
        self.assertEqual(
            [(x, round(loss, 9)) for x, loss in self.rows("SELECT x, loss FROM trials ORDER BY x")],
            [(x, round((1 + x) / 3, 9)) for x in (1, 2, 3, 4)],
        )

    def test_values_added_to_the_grid_are_run_and_those_taken_out_stay(self):
        self.run_study(self.fake_study(xs=(1, 2)))
        study = self.fake_study(xs=(2, 3, 4))
        plan = json.loads(self.windrow("plan", study, "--db", self.db, "--json"))
        self.assertEqual((plan["trials_to_run"], plan["trials_left"]), (2, 1))
        self.run_study(study)
        self.assertEqual(
            self.rows("SELECT x, attempts, stages FROM trials ORDER BY x"),
            [(1, 1, ""), (2, 1, "main"), (3, 1, "main"), (4, 1, "main")],
        )

    def test_another_value_of_a_fixed_parameter_is_another_cell(self):
        study = self.fake_study(xs=(1,))
        self.run_study(study)
        self.run_study(study, "--set", "epochs=5")
        self.assertEqual(
            self.rows("SELECT epochs_parameter, epochs, stages FROM trials ORDER BY trial"),
            [(3, 3, ""), (5, 5, "main")],
        )

    def test_resume_takes_the_study_from_the_database(self):
        study = self.fake_study(crash_epoch=2)
        self.run_study(study, "--set", "seeds=[0,1]", expect=1)
        study.unlink()
        self.windrow("retry", "--db", self.db)
        self.windrow("resume", "--db", self.db, expect=1)
        self.assertEqual(self.rows("SELECT count(*) FROM trials WHERE attempts = 6"), [(8,)])

    def test_a_selecting_stage_runs_once_its_source_is_done(self):
        study = self.write(
            "staged.yaml",
            f"""
study: staged
trainer: {{command: [{FAKE}], persistent: true}}
parameters: {{epochs: 2}}
stages:
  first:
    grid: {{x: [5, 1, 3, 2], size: [1]}}
  second:
    best: {{count: 2, of: first, by: loss, goal: min, take: [x]}}
    grid: {{size: [1, 2, 3]}}
""",
        )
        self.run_study(study, "--slots", 2)
        self.assertEqual(
            self.rows("SELECT x, size, stages FROM trials ORDER BY x, size"),
            [
                (1, 1, "first,second"),
                (1, 2, "second"),
                (1, 3, "second"),
                (2, 1, "first,second"),
                (2, 2, "second"),
                (2, 3, "second"),
                (3, 1, "first"),
                (5, 1, "first"),
            ],
        )

    def test_nan_is_a_failure_that_is_not_retried_where_the_trainer_says_so(self):
        self.run_study(self.fake_study(xs=(1,), fail_epoch=2, fail_kind="nan"), expect=1)
        self.assertEqual(
            self.rows("SELECT state, failure, attempts, epochs FROM trials"),
            [("failed", "nan", 1, 1)],
        )

    def test_a_crash_is_retried_and_its_signal_and_stderr_are_recorded(self):
        self.run_study(self.fake_study(xs=(1,), crash_epoch=2, crash_attempts=2), "--slots", 2)
        self.assert_each_trial_finished_once(1, 3)
        self.assertEqual(
            self.rows("SELECT attempt, kind, signal, stderr_tail LIKE '%about to crash%' FROM failures"),
            [(1, "crash", 9, 1), (2, "crash", 9, 1)],
        )


class OtherTrainers(WindrowTest):
    """The examples that the documentation shows, as they are."""

    def test_a_process_a_trial(self):
        os.symlink(SOURCE / "examples", self.folder / "examples")
        self.run_study(SOURCE / "examples" / "train.yaml", "--slots", 2)
        self.assert_each_trial_finished_once(9, 20)
        self.assertIn("±", self.windrow("table", "--db", self.db))

    def test_numbers_that_are_nearly_nothing_keep_their_digits_in_a_table(self):
        trainer = self.write(
            "tiny.sh", 'echo "{\\"epoch\\": 1, \\"loss\\": 1.${WINDROW_SEED}e-15}"\n')
        study = self.write(
            "tiny.yaml",
            f"study: tiny\ntrainer: {{command: [sh, {trainer}], persistent: false}}\n"
            "grid: {x: [1]}\nseeds: 3\n",
        )
        self.run_study(study)
        self.assertIn("1.1e-15 ± 2.5e-16", self.windrow("table", "--db", self.db))

    def test_the_hint_of_a_refused_query_leads_to_the_columns(self):
        self.run_study(self.fake_study())
        self.windrow("query", "SELECT nope FROM trials", "--db", self.db, expect=4)
        hint = re.search("`(PRAGMA[^`]*)`", self.err).group(1)
        self.assertIn("wall_seconds", self.windrow("query", hint, "--db", self.db))

    def test_a_persistent_trainer_in_python(self):
        os.symlink(SOURCE / "examples", self.folder / "examples")
        self.run_study(SOURCE / "examples" / "persistent.yaml", "--slots", 2)
        self.assert_each_trial_finished_once(4, 5)

    def test_one_that_says_nothing_is_finished_by_its_exit_code(self):
        study = self.write(
            "true.yaml", "study: t\ntrainer: {command: [/bin/true], reports: nothing}\ngrid: {x: [1, 2, 3]}\n"
        )
        self.run_study(study)
        self.assertEqual(self.rows("SELECT state, count(*) FROM trials"), [("finished", 3)])


if __name__ == "__main__":
    unittest.main()
