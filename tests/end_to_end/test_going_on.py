"""Budgets that are raised: finished trials go on from their checkpoints, to the same bits. Budgets that
are lowered: begun trials end there. And whose checkpoints stay after their end."""

import json
import os
import shutil
import unittest

from support import WindrowTest, wait_until

TRAIN = """import json, os, pathlib
p = json.loads(os.environ["WINDROW_PARAMETERS"])
begun = int(os.environ["WINDROW_RESUME"])
state = pathlib.Path(os.environ["WINDROW_CHECKPOINT_DIR"]) / "state"
total = float(state.read_text()) if begun else 0
with open("trained", "a") as trained:
    for epoch in range(begun + 1, p["length"] + 1):
        total += p["x"] / epoch
        state.write_text(str(total))
        trained.write(f"{p['x']}:{epoch}\\\\n")
        print(json.dumps({"epoch": epoch, "loss": total}), flush=True)
"""

# Whatever lies in its folder, as many programs do.
LOOKS_FOR_ITSELF = """import json, os, pathlib
x = json.loads(os.environ["WINDROW_PARAMETERS"])["x"]
state = pathlib.Path(os.environ["WINDROW_CHECKPOINT_DIR"]) / "state"
total = float(state.read_text()) if state.exists() else 0
for epoch in (1, 2):
    total += x
    print(json.dumps({"epoch": epoch, "loss": total}), flush=True)
state.write_text(str(total))
"""


class GoingOn(WindrowTest):
    def setUp(self):
        super().setUp()
        self.write("train.py", TRAIN.replace("\\\\n", "\\n"))

    def study(self, length, xs=(1, 2, 3), more="", budget=", budget: length"):
        return self.write(
            "s.yaml",
            "study: s\n"
            f"trainer: {{command: [python3, train.py]{budget}}}\n"
            f"parameters: {{length: {length}}}\ngrid: {{x: {list(xs)}}}\n{more}",
        )

    def kept(self):
        """Trials that have files among their checkpoints."""
        root = next(self.folder.glob("w.db.checkpoints/*/trial-*"), None)
        if root is None:
            return []
        return sorted(int(one.name.split("-")[1]) for one in root.parent.glob("trial-*"))

    def test_a_program_of_ones_own_goes_on_where_it_ended(self):
        self.run_study(self.study(2))
        plan = self.windrow("plan", self.study(4), "--db", self.db)
        self.assertIn("3 finished trials go on: length was raised", plan)
        told = json.loads(self.windrow("plan", self.study(4), "--db", self.db, "--json"))
        self.assertEqual((told["trials_raised"], told["trials_left"]), (3, 0))
        self.run_study(self.study(4))
        self.assertIn("3 finished trials go on, since length was raised", self.err)
        self.assertEqual(
            self.rows("SELECT x, length, state, epochs, attempts FROM trials ORDER BY x"),
            [(x, 4, "finished", 4, 2) for x in (1, 2, 3)],
        )
        self.assertEqual(
            [round(loss, 9) for (loss,) in self.rows("SELECT loss FROM trials ORDER BY x")],
            [round(x * (1 + 1 / 2 + 1 / 3 + 1 / 4), 9) for x in (1, 2, 3)],
        )
        trained = (self.folder / "trained").read_text().split()
        self.assertEqual(sorted(trained), [f"{x}:{e}" for x in (1, 2, 3) for e in (1, 2, 3, 4)])
        self.run_study(self.study(4))
        self.assertNotIn("go on", self.err)

    def test_a_budget_that_is_lowered_ends_what_has_not_gone_beyond(self):
        gate = self.folder / "gate"
        train = (self.folder / "train.py").read_text()
        total = '        total += p["x"]'
        wait = "        while epoch == 3 and not os.path.exists('gate'): time.sleep(0.02)\n"
        self.assertIn(total, train)
        self.write("train.py", "import time\n" + train.replace(total, wait + total))
        process = self.start("run", self.study(9), "--db", self.db, "--slots", 3)
        wait_until("two epochs of each", lambda: self.count("SELECT count(*) FROM epochs") == 6)
        self.windrow("stop", "--db", self.db, "--now")
        self.finish(process, expect=3)
        plan = self.windrow("plan", self.study(2), "--db", self.db)
        self.assertIn("3 begun trials end earlier: length was lowered", plan)
        gate.touch()
        self.run_study(self.study(2))
        self.assertIn("3 begun trials end earlier, since length was lowered", self.err)
        self.assertEqual(
            self.rows("SELECT trial, x, length, state, epochs, round(loss, 9) FROM trials ORDER BY x"),
            [(x, x, 2, "finished", 2, round(x * 1.5, 9)) for x in (1, 2, 3)],
        )

    def test_without_a_budget_another_value_is_another_cell(self):
        self.run_study(self.study(2, budget=""))
        self.run_study(self.study(4, budget=""))
        self.assertEqual(self.count("SELECT count(*) FROM trials"), 6)
        self.assertEqual(self.kept(), [])

    def test_a_grid_over_the_budget_stays_a_grid(self):
        def study(lengths):
            return self.write(
                "s.yaml",
                "study: s\ntrainer: {command: [python3, train.py], budget: length}\n"
                f"parameters: {{x: 1}}\ngrid: {{length: {lengths}}}\n",
            )

        self.run_study(study([1, 2]))
        self.run_study(study([1, 2, 4]))
        self.assertEqual(
            self.rows("SELECT length, epochs, attempts FROM trials ORDER BY length"),
            [(1, 1, 1), (2, 2, 1), (4, 4, 1)],
        )

    def test_the_best_keep_their_checkpoints_over_several_runs(self):
        compare = "report: {compare: {metric: loss, goal: min}}\nkeep: best\nkeep_count: 2\n"
        self.run_study(self.study(2, (3, 1, 4), compare), "--slots", 1)
        self.assertEqual(self.kept(), [1, 2])
        self.run_study(self.study(2, (3, 1, 4, 2), compare), "--slots", 1)
        self.assertEqual(self.kept(), [2, 4])  # of x = 1 and 2
        self.run_study(self.study(2, (3, 1, 4, 2, 5), compare), "--slots", 1)
        self.assertEqual(self.kept(), [2, 4])

    def test_keep_none_leaves_nothing_and_what_is_gone_is_trained_again(self):
        self.run_study(self.study(2, more="keep: none\n"))
        self.assertEqual(self.kept(), [])
        self.run_study(self.study(3, more="keep: none\n"))
        self.assertEqual(
            self.rows("SELECT epochs, state FROM trials"), [(3, "finished")] * 3
        )
        self.assertEqual(self.count("SELECT count(*) FROM epochs"), 9)

    def test_a_copy_of_a_database_shares_no_state_with_it(self):
        """Both begin trial 2, of another cell, and have one folder of checkpoints."""
        self.write("train.py", LOOKS_FOR_ITSELF)
        shared = ("--checkpoints", self.folder / "shared")
        original, copy = self.folder / "w.db", self.folder / "copy.db"
        self.run_study(self.study(2, (1,)), *shared)
        shutil.copy(original, copy)
        for self.db, x in ((original, 2), (copy, 3), (copy, 4), (original, 5)):
            self.run_study(self.study(2, (1, x)), *shared)
            self.assertEqual("is a copy of" in self.err, x == 3, self.err)
        for self.db, xs in ((original, (1, 2, 5)), (copy, (1, 3, 4))):
            self.assertEqual(
                self.rows("SELECT x, loss FROM trials ORDER BY x"), [(x, 2 * x) for x in xs]
            )

    @unittest.skipUnless("WINDROW_TRAINER" in os.environ, "without LibTorch")
    def test_a_shipped_task_reaches_the_bits_of_a_longer_study(self):
        def study(epochs, more=""):
            return self.write(
                "p.yaml",
                "study: p\ntask: choice-sets\nseeds: 2\n"
                f"parameters: {{epochs: {epochs}, train_sets: 700, test_sets: 300, depth: 2}}\n"
                f"grid: {{width: [6, 8]}}\n{more}",
            )

        hashes = "SELECT width, seed, epoch, state_hash FROM epochs JOIN trials USING (trial) "
        hashes += "ORDER BY width, seed, epoch"
        stopping = "early_stopping: {metric: val_mse, patience: 3}\n"
        for more in ("", stopping):
            with self.subTest(more):
                self.db = self.folder / f"short{len(more)}.db"
                self.run_study(study(2, more))
                self.run_study(study(5, more))
                resumed = "SELECT resumed_from_epoch FROM attempts WHERE attempt = 2"
                self.assertEqual(self.rows(resumed), [(2,)] * 4)
                raised = self.rows(hashes)
                results = self.rows("SELECT epochs, test_mse FROM trials ORDER BY width, seed")
                self.db = self.folder / f"long{len(more)}.db"
                self.run_study(study(5, more))
                self.assertEqual(self.rows(hashes), raised)
                self.assertEqual(
                    self.rows("SELECT epochs, test_mse FROM trials ORDER BY width, seed"), results
                )
        self.run_study(study(6, stopping + "keep: none\n"))
        self.assertNotIn("trained again", self.err)
        self.run_study(study(7, stopping))
        self.assertEqual(self.err.count("no checkpoint of the 6 epochs on record"), 4)
        mixed = "SELECT count(*) FROM epochs JOIN trials USING (trial) WHERE attempt < attempts"
        self.assertEqual(self.count(mixed), 0)  # each curve is one attempt's, as its result is
        self.run_study(study(8))  # without the rule they are other cells
        self.assertEqual(self.count("SELECT count(*) FROM trials"), 8)
        for folder in self.folder.glob("*.db.checkpoints/*/trial-*"):
            self.assertEqual(len(list(folder.glob("*.ckpt"))), 1, folder)


if __name__ == "__main__":
    unittest.main()
