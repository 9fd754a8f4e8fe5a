"""What attempts took of their host, and `windrow cost`."""

import json
import unittest

from support import WindrowTest

TRAIN = """import json, os, sys, time
x = json.loads(os.environ["WINDROW_PARAMETERS"])["x"]
held = bytearray(x << 20)
while time.process_time() < 0.3:
    pass
sys.exit(3) if x == 3 else print(json.dumps({"epoch": 1, "loss": x}))
"""


class Cost(WindrowTest):
    def test_cpu_time_and_memory_of_each_attempt_are_on_record(self):
        self.write("train.py", TRAIN)
        study = self.write(
            "s.yaml",
            "study: s\ntrainer: {command: [python3, train.py]}\ngrid: {x: [3, 50, 150]}\n",
        )
        self.run_study(study, "--slots", 2, expect=1)
        attempts = self.rows(
            "SELECT x, outcome, cpu_seconds, peak_memory / 1048576 FROM attempts "
            "JOIN trials USING (trial) ORDER BY trial, attempt"
        )
        self.assertGreater(len(attempts), 3)  # one was tried again
        for x, outcome, cpu, megabytes in attempts:
            self.assertEqual(outcome, "crash" if x == 3 else "finished")
            self.assertGreater(cpu, 0.25)
            self.assertLess(cpu, 20)
            self.assertGreater(megabytes, x)
            self.assertLess(megabytes, x + 100)
        said = self.windrow("cost", "--db", self.db)
        self.assertIn("The 2 finished trials of study s", said)
        self.assertIn("failed attempt", said)
        told = json.loads(self.windrow("cost", "--db", self.db, "--json"))
        self.assertEqual([line["attempts"] for line in told], ["finished", "failed", "in all"])
        self.assertEqual(told[0]["number"], 2)
        self.assertAlmostEqual(
            told[-1]["cpu_hours"] * 3600, sum(cpu for _, _, cpu, _ in attempts), places=3
        )
        trials = json.loads(self.windrow("cost", "--db", self.db, "--trials", "--json"))
        self.assertEqual([row["trial"] for row in trials], [1, 2, 3])

    def test_a_trainer_of_many_trials_is_measured_trial_by_trial(self):
        self.run_study(self.fake_study(xs=(1, 2), epoch_ms=20), "--slots", 1)
        for cpu, memory in self.rows("SELECT cpu_seconds, peak_memory FROM attempts"):
            self.assertLess(cpu, 10)
            self.assertGreater(memory, 1 << 20)


if __name__ == "__main__":
    unittest.main()
