"""`windrow run --smoke`: what a study will train, tried before it waits in a queue."""

import json
import os
import unittest

from support import WindrowTest

TRAIN = """import json, os, sys, time
p = json.loads(os.environ["WINDROW_PARAMETERS"])
if p["width"] == 30:
    sys.exit("the network is too wide")
for epoch in range(1, p.get("epochs", 999) + 1):
    time.sleep(0.05)
    print(json.dumps({"epoch": epoch, "loss": p["lr"]}), flush=True)
"""


class Smoke(WindrowTest):
    def test_what_fails_is_told_and_nothing_stays(self):
        self.write("train.py", TRAIN)
        study = self.write(
            "s.yaml",
            "study: s\ntrainer: {command: [python3, train.py]}\nseeds: 4\n"
            "grid: {width: [10, 20, 30], lr: [0.1, 0.2, 0.3, 0.4, 0.5]}\n"
            "on_failure: [sh, -c, 'echo told > told']\n",
        )
        out = self.run_study(study, "--smoke", "--slots", 2, expect=1)
        self.assertIn("FAILED crash", out)
        self.assertEqual(out.count("works"), 3)  # two widths, and the other end of lr
        self.assertEqual(out.count("FAILED"), 1)
        self.assertIn("the whole study: 60 trials", out)
        left = {path.name for path in self.folder.iterdir()}
        self.assertEqual(left - {"__pycache__"}, {"train.py", "s.yaml"})

    def test_a_study_that_works_ends_well_and_says_how_long_it_takes(self):
        self.write("train.py", TRAIN)
        study = self.write(
            "s.yaml",
            "study: s\ntrainer: {command: [python3, train.py], budget: epochs}\n"
            "parameters: {width: 1, epochs: 999}\ngrid: {lr: [0.1, 0.2]}\n",
        )
        told = json.loads(self.run_study(study, "--smoke", "--slots", 1, "--json"))
        self.assertEqual([cell["works"] for cell in told["cells"]], [True, True])
        self.assertGreater(told["cells"][0]["peak_memory"], 1 << 20)
        self.assertGreater(told["hours"], 2 * 999 * 0.05 / 3600)

    @unittest.skipUnless("WINDROW_TRAINER" in os.environ, "without LibTorch")
    def test_a_shipped_task_is_tried_for_an_epoch(self):
        study = self.write(
            "p.yaml",
            "study: p\ntask: choice-sets\nparameters: {epochs: 50, train_sets: 700, depth: 2, "
            "test_sets: 300}\ngrid: {width: [6, 8]}\nearly_stopping: {metric: val_mse}\n",
        )
        told = json.loads(self.run_study(study, "--smoke", "--json"))
        self.assertEqual([cell["parameters"]["width"] for cell in told["cells"]], [8, 6])
        self.assertEqual({cell["parameters"]["epochs"] for cell in told["cells"]}, {1})
        self.assertIn("hours", told)


if __name__ == "__main__":
    unittest.main()
