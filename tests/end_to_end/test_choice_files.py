"""P3 from a user's own files: CSV in both forms and .npy, and what is refused before anything starts."""

import json
import os
import random
import signal
import struct
import unittest

from support import FAKE, SOURCE, WindrowTest, wait_until

TRAINER = os.environ.get("WINDROW_TRAINER", "")
ITEMS, FEATURES = 3, 2


def make_sets(count, seed):
    """Sets whose item with the largest first feature is chosen: [(items' features, choice)]."""
    chance = random.Random(seed)
    sets = []
    for _ in range(count):
        x = [[chance.gauss(0, 1) for _ in range(FEATURES)] for _ in range(ITEMS)]
        sets.append((x, max(range(ITEMS), key=lambda i: x[i][0])))
    return sets


def row_a_set(sets):
    return "".join(
        ",".join([*(f"{v:.9g}" for item in x for v in item), str(choice)]) + "\n"
        for x, choice in sets
    )


def row_an_item(sets):
    lines = ["set,price,quality,choice"]
    for number, (x, choice) in enumerate(sets):
        for i, item in enumerate(x):
            lines.append(f"{number},{item[0]:.9g},{item[1]:.9g},{int(i == choice)}")
    return "\n".join(lines) + "\n"


def npy(dtype, shape, data):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def npy_features(sets):
    values = [float(f"{v:.9g}") for x, _ in sets for item in x for v in item]
    return npy("<f8", (len(sets), ITEMS, FEATURES), struct.pack(f"<{len(values)}d", *values))


def npy_choices(sets):
    return npy("<i8", (len(sets),), struct.pack(f"<{len(sets)}q", *(c for _, c in sets)))


class ChoiceFiles(WindrowTest):
    def setUp(self):
        super().setUp()
        self.training, self.test = make_sets(600, 1), make_sets(200, 2)

    def run_p3(self, *settings, name="w", expect=0, **options):
        """A short P3 on this test's files."""
        self.db = self.folder / f"{name}.db"
        sets = [a for s in ("epochs=2", "batch=50", "seeds=1", *settings) for a in ("--set", s)]
        self.run_study(SOURCE / "sweeps/studies/p3.yaml", *sets, "--data", self.folder, "--slots", 2,
                       expect=expect, **options)

    def results(self):
        return self.rows("SELECT depth, width, epochs, test_mse, val_mse FROM trials "
                         "WHERE state = 'finished' ORDER BY depth, width")

    @unittest.skipUnless(TRAINER, "built without LibTorch")
    def test_every_format_gives_the_same_study(self):
        self.write("train.csv", row_a_set(self.training))
        self.write("test.csv", row_a_set(self.test))
        self.write("train-long.csv", row_an_item(self.training))
        self.write("test-long.csv", row_an_item(self.test))
        (self.folder / "train.npy").write_bytes(npy_features(self.training))
        (self.folder / "train-choice.npy").write_bytes(npy_choices(self.training))
        (self.folder / "test.npy").write_bytes(npy_features(self.test))
        (self.folder / "test-choice.npy").write_bytes(npy_choices(self.test))
        self.run_p3("train_file=train.csv", "test_file=test.csv", f"items={ITEMS}", name="wide")
        wide = self.results()
        self.assertEqual(len(wide), 8)
        info = json.loads(self.rows("SELECT info FROM attempts")[0][0])["data"]
        self.assertEqual(info["training"]["sets"], 600)
        self.assertEqual(info["training"]["features"], FEATURES)
        self.assertNotEqual(info["training"]["hash"], info["test"]["hash"])
        self.run_p3("train_file=train-long.csv", "test_file=test-long.csv", name="long")
        self.assertEqual(self.results(), wide)
        self.run_p3("train_file=train.npy", "train_choice_file=train-choice.npy",
                    "test_file=test.npy", "test_choice_file=test-choice.npy", name="npy")
        self.assertEqual(self.results(), wide)

    @unittest.skipUnless(TRAINER, "built without LibTorch")
    def test_a_study_of_a_csv_file_learns_it(self):
        self.write("train.csv", row_a_set(self.training))
        self.write("test.csv", row_a_set(self.test))
        study = self.write(
            "learn.yaml",
            "study: learn\ntask: choice-sets\nparameters: {depth: 2, width: 20, lr: 0.01, batch: 50, "
            f"epochs: 30, items: {ITEMS}, train_file: train.csv, test_file: test.csv}}\n",
        )
        self.run_study(study, "--data", self.folder)
        constant = (ITEMS - 1) / ITEMS**2  # what the predictor 1/3 scores
        self.assertLess(self.rows("SELECT test_mse FROM trials")[0][0], constant / 2)

    @unittest.skipUnless(TRAINER, "built without LibTorch")
    def test_a_trial_does_not_go_on_with_other_sets(self):
        study = self.write(
            "s.yaml",
            "study: s\ntask: choice-sets\nparameters: {depth: 1, width: 1, batch: 2, "
            f"epochs: 100000, items: {ITEMS}, train_file: train.csv, test_file: test.csv}}\n",
        )
        self.write("train.csv", row_a_set(self.training))
        self.write("test.csv", row_a_set(self.test))
        self.stop_after_an_epoch(study)
        self.write("train.csv", row_a_set(make_sets(600, 3)))
        self.run_study(study, "--data", self.folder, expect=3)  # it waits for them to be brought back
        self.assertEqual(self.rows("SELECT state FROM trials"), [("pending",)])
        kind, message = self.rows("SELECT kind, message FROM failures ORDER BY attempt DESC")[0]
        self.assertEqual(kind, "data")
        self.assertIn("data files have changed since epoch", message)

    def stop_after_an_epoch(self, study):
        process = self.start("run", study, "--db", self.db, "--data", self.folder)
        wait_until("an epoch", lambda: self.count("SELECT count(*) FROM epochs"))
        process.send_signal(signal.SIGINT)
        self.finish(process, expect=3)

    # ---- refused by the orchestrator: no trainer is needed to see it

    def refused(self, *settings):
        self.run_study(
            SOURCE / "sweeps/studies/p3.yaml",
            *[a for s in settings for a in ("--set", s)],
            "--data", self.folder, "--trainer", FAKE, expect=2,
        )
        self.assertFalse(self.db.exists(), "refused before anything is made")
        return self.err

    def test_bad_files_are_refused_before_anything_starts(self):
        files = ("train_file=train.csv", "test_file=test.csv", f"items={ITEMS}")
        good = row_a_set(self.training)
        self.write("test.csv", row_a_set(self.test))

        self.write("train.csv", good.replace("\n", ",\n", 1))
        self.assertRegex(self.refused(*files), r"train\.csv:1: column 8 is empty")
        indexed = "".join(f"{i},{line}\n" for i, line in enumerate(good.splitlines()))
        self.write("train.csv", indexed)
        self.assertRegex(self.refused(*files), r"train\.csv: has 8 columns.*index column")
        self.assertRegex(self.refused(*files[:2], "items=7"), r"train\.csv:1: column 1 counts the rows")
        self.write("train.csv", good + good.splitlines()[0].rsplit(",", 1)[0] + ",nan\n")
        self.assertRegex(self.refused(*files), r"train\.csv:601: column 7 is nan")
        self.write("train.csv", good + "1,2,3\n")
        self.assertRegex(self.refused(*files), r"train\.csv:601: has 3 cells")
        self.write("train.csv", row_a_set(self.test))
        self.assertRegex(self.refused(*files), r"test\.csv: has the same sets as .*train\.csv")
        (self.folder / "train.csv").unlink()
        self.assertRegex(self.refused(*files), r"train\.csv: does not exist; .*--data")
        self.assertRegex(self.refused("train_file=train.csv"), "test_file is missing")
        (self.folder / "x.npy").write_bytes(npy_features(self.training)[:-8])
        (self.folder / "c.npy").write_bytes(npy_choices(self.training))
        self.assertRegex(
            self.refused("train_file=x.npy", "train_choice_file=c.npy", "test_file=test.csv",
                         f"items={ITEMS}"),
            r"x\.npy: has 28792 bytes of data, but \[600, 3, 2\] of dtype '<f8'",
        )

    def test_the_plan_of_files_has_the_same_cells(self):
        self.windrow("plan", SOURCE / "sweeps/studies/p3.yaml", "--db", self.db, "--json",
                     "--set", "train_file=train.csv", "--set", "test_file=test.csv")
        cells = json.loads(self.out)["cells"]
        self.assertEqual(len(cells), 8)
        self.assertEqual({c["parameters"]["train_file"] for c in cells}, {"train.csv"})


if __name__ == "__main__":
    unittest.main()
