"""`windrow verify`: recorded epochs against the same ones trained again."""

import json
import os
import sqlite3
import unittest

from support import WindrowTest

TRAIN = """import json, os, pathlib
p = json.loads(os.environ["WINDROW_PARAMETERS"])
shift = float(pathlib.Path("shift").read_text())
for epoch in range(1, p["epochs"] + 1):
    loss = (p["x"] + int(os.environ["WINDROW_SEED"])) / epoch + shift * (epoch > 2)
    print(json.dumps({"epoch": epoch, "loss": loss}), flush=True)
"""


class Verify(WindrowTest):
    def test_a_program_that_gives_other_numbers_is_found_out(self):
        self.write("train.py", TRAIN)
        self.write("shift", "0")
        study = self.write(
            "s.yaml",
            "study: s\ntrainer: {command: [python3, train.py], budget: epochs}\nseeds: 2\n"
            "parameters: {epochs: 4}\ngrid: {x: [1, 2]}\n",
        )
        self.run_study(study)
        before = self.rows("SELECT * FROM attempts ORDER BY trial, attempt")
        out = self.windrow("verify", 1, 2, 3, "--db", self.db)
        self.assertEqual(out.count("the same numbers"), 3)
        told = json.loads(self.windrow("verify", "--sample", 4, "--db", self.db, "--json"))
        self.assertEqual([row["trial"] for row in told], [1, 2, 3, 4])
        self.write("shift", "0.5")
        self.windrow("verify", 4, "--epochs", 2, "--db", self.db)
        out = self.windrow("verify", 4, "--db", self.db, expect=1)
        self.assertIn("DIFFERS from epoch 3 on: loss: 1 on record, 1.5 now", out)
        self.assertEqual(self.rows("SELECT * FROM attempts ORDER BY trial, attempt"), before)
        self.assertEqual(list(self.folder.glob(".windrow-*")), [])

    def test_cells_that_are_the_same_for_so_many_epochs_are_each_told(self):
        self.write("train.py", TRAIN)
        self.write("shift", "0")
        study = self.write(
            "s.yaml",
            "study: s\ntrainer: {command: [python3, train.py], budget: epochs}\n"
            "parameters: {x: 1}\ngrid: {epochs: [3, 4]}\n",
        )
        self.run_study(study)
        out = self.windrow("verify", 1, 2, "--epochs", 2, "--db", self.db)
        self.assertEqual(out.count("the same numbers"), 2)

    @unittest.skipUnless("WINDROW_TRAINER" in os.environ, "without LibTorch")
    def test_the_shipped_trainer_gives_the_same_bits(self):
        study = self.write(
            "p.yaml",
            "study: p\ntask: choice-sets\nparameters: {epochs: 3, train_sets: 700, depth: 2, "
            "test_sets: 300}\ngrid: {width: [6, 8]}\nearly_stopping: {metric: val_mse}\n",
        )
        self.run_study(study)
        out = self.windrow("verify", "--where", "1", "--db", self.db)
        self.assertEqual(out.count("the same to the bit"), 2)
        db = sqlite3.connect(self.db)
        with db:  # as a fault of memory or disk would
            db.execute("UPDATE epoch SET state_hash = 'x' || substr(state_hash, 2) "
                       "WHERE trial = 2 AND epoch = 2")
        db.close()
        out = self.windrow("verify", 2, "--db", self.db, expect=1)
        self.assertIn("DIFFERS from epoch 2 on: the state", out)


if __name__ == "__main__":
    unittest.main()
