"""What made each number: programs that are edited between runs and during one, redo, frozen code."""

import json
import os
import pty
import subprocess
import unittest

from support import DEADLINE, WINDROW, WindrowTest, wait_until

TRAIN = """import json, os, pathlib, time
import model
x = json.loads(os.environ["WINDROW_PARAMETERS"])["x"]
while x > 8 and not pathlib.Path("gate").exists():
    time.sleep(0.01)
print(json.dumps({"epoch": 1, "loss": model.loss}), flush=True)
"""


class Origin(WindrowTest):
    def setUp(self):
        super().setUp()
        (self.folder / "src").mkdir()
        self.write("src/train.py", TRAIN)
        self.edit(1)

    def edit(self, loss):
        """The program's other file, as a person edits it."""
        self.write("src/model.py", f"loss = {loss}\n")

    def study(self, xs=(1, 2), more="", seeds=1):
        return self.write(
            "s.yaml",
            "study: s\n"
            f"trainer: {{command: [python3, src/train.py]{more}}}\n"
            f"seeds: {seeds}\ngrid: {{x: {list(xs)}}}\n",
        )

    def losses(self):
        return [row[0] for row in self.rows("SELECT loss FROM trials ORDER BY trial")]

    def test_an_edited_program_is_told_before_anything_starts_and_its_results_stay(self):
        self.run_study(self.study())
        self.edit(2)
        plan = self.windrow("plan", self.study((1, 2, 3)), "--db", self.db)
        self.assertIn("2 finished trials are of another program: src/model.py differs\n", plan)
        told = json.loads(self.windrow("plan", self.study((1, 2, 3)), "--db", self.db, "--json"))
        self.assertEqual(told["other_program"]["finished"], 2)
        self.run_study(self.study((1, 2, 3)))
        self.assertIn("warning 2 finished trials are of another program", self.err)
        self.assertEqual(self.losses(), [1, 1, 2])
        table = self.windrow("table", "--db", self.db)
        self.assertEqual(table.count("older"), 3)  # two rows, and what it means
        self.assertIn("(src/model.py differs)", table)
        shown = json.loads(self.windrow("show", 1, "--db", self.db, "--json"))
        self.assertEqual(set(shown["programs"][0]["files"]), {"src/train.py", "src/model.py"})
        self.assertEqual(shown["programs"][0]["command"], ["python3", "src/train.py"])

    def test_what_another_program_made_is_trained_anew_where_that_is_wanted(self):
        self.run_study(self.study(seeds=2))
        self.edit(2)
        self.run_study(self.study(seeds=2), "--program", "changed=redo")
        self.assertIn("4 are trained anew", self.err)
        self.assertEqual(self.losses(), [2, 2, 2, 2])
        self.assertEqual(
            self.rows("SELECT taken_back FROM attempts WHERE attempt = 1"),
            [('{"loss":1.0}',)] * 4,
        )
        self.assertNotIn("program", self.windrow("table", "--db", self.db))
        self.run_study(self.study(seeds=2))
        self.assertNotIn("another program", self.err)
        self.assertEqual(self.count("SELECT max(attempts) FROM trials"), 2)

    def test_whoever_is_at_the_terminal_is_asked(self):
        self.run_study(self.study())
        self.edit(2)
        for answer, losses in (("quit", [1, 1]), ("keep", [1, 1]), ("redo", [2, 2])):
            terminal, other_end = pty.openpty()
            process = subprocess.Popen(
                [WINDROW, "run", self.study(), "--db", self.db],
                cwd=self.folder, stdin=other_end, stdout=other_end, stderr=other_end,
            )
            os.close(other_end)
            text = ""
            while "[keep] " not in text:
                text += os.read(terminal, 4096).decode()
            self.assertIn("2 finished trials are of another program", text)
            os.write(terminal, f"{answer}\n".encode())
            try:
                while os.read(terminal, 4096):
                    pass
            except OSError:  # the other end is closed
                pass
            self.assertEqual(process.wait(DEADLINE), 3 if answer == "quit" else 0)
            os.close(terminal)
            self.assertEqual(self.losses(), losses)

    def test_a_program_that_is_edited_during_the_run(self):
        process = self.start("run", self.study((1, 9, 2)), "--db", self.db, "--slots", 1)
        wait_until("the second trial", lambda: self.db.exists() and self.count(
            "SELECT count(*) FROM attempts") == 2)
        self.edit(2)
        (self.folder / "gate").touch()
        self.finish(process)
        self.assertIn("trains with another program from now on: src/model.py differs", self.err)
        self.assertEqual(self.count("SELECT count(DISTINCT program) FROM attempts"), 2)

    def test_frozen_code_is_trained_from_while_its_folder_is_edited(self):
        frozen = ", freeze: [src]"
        process = self.start("run", self.study((1, 9, 2), frozen), "--db", self.db, "--slots", 1)
        wait_until("the second trial", lambda: self.db.exists() and self.count(
            "SELECT count(*) FROM attempts") == 2)
        self.edit(2)
        (self.folder / "gate").touch()
        self.finish(process)
        self.run_study(self.study((1, 9, 2, 3), frozen))
        self.assertIn("trains from the copy in", self.err)
        self.assertIn("since then: src/model.py differs", self.err)
        self.assertEqual(self.losses(), [1, 1, 1, 1])
        self.assertEqual(self.count("SELECT count(DISTINCT program) FROM attempts"), 1)
        self.run_study(self.study((1, 9, 2, 3), frozen), "--program", "changed=redo")
        self.assertEqual(self.losses(), [2, 2, 2, 2])

    def test_redo_takes_finished_trials_back(self):
        study = self.fake_study(xs=(1, 2, 3))
        self.run_study(study)
        self.assertIn("1 trial is taken back", self.windrow(
            "redo", "--where", "x = 2", "--db", self.db))
        self.assertEqual(self.rows("SELECT x, epochs FROM trials WHERE state = 'pending'"), [(2, 0)])
        self.run_study(study)
        self.assertEqual(self.rows("SELECT state, epochs, attempts FROM trials"),
                         [("finished", 3, 1), ("finished", 3, 2), ("finished", 3, 1)])
        self.assertEqual(self.rows("SELECT attempt, resumed_from_epoch FROM attempts "
                                   "WHERE trial = 2"), [(1, 0), (2, 0)])
        self.windrow("redo", 77, "--db", self.db, expect=2)
        self.assertIn("not all of these are trials", self.err)

    def test_an_interrupted_trial_that_is_taken_back_finds_no_checkpoint(self):
        study = self.fake_study(xs=(1,), epochs=60, epoch_ms=30, checkpoints=True)
        process = self.start("run", study, "--db", self.db)
        wait_until("an epoch", lambda: self.db.exists() and self.count(
            "SELECT count(*) FROM epochs") >= 3)
        process.kill()
        self.finish(process, expect=None)
        self.windrow("redo", 1, "--db", self.db)
        self.run_study(study)
        self.assert_each_trial_finished_once(1, 60)
        self.assertEqual(self.rows("SELECT resumed_from_epoch FROM attempts WHERE attempt = 2"),
                         [(0,)])


if __name__ == "__main__":
    unittest.main()
