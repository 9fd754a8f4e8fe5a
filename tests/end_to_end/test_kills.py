"""SIGKILL at random moments: nothing lost, nothing twice, and the same bits in the end.

The coordinator, an agent or a trainer is killed; then the same command runs again. The study that
was killed again and again must end with the rows of one that was left alone.
"""

import os
import random
import signal
import time
import unittest

from support import SETS, WINDROW, WindrowTest, descendants, wait_until

TRAINER = os.environ.get("WINDROW_TRAINER", "")


class Kills(WindrowTest):
    """`kills` moments each; the moment is drawn, and said where a test fails."""

    def run_undisturbed(self, study, *arguments):
        db, self.db = self.db, self.folder / "undisturbed.db"
        began = time.monotonic()
        self.run_study(study, *arguments)
        self.undisturbed_seconds = time.monotonic() - began
        self.db = db

    def epochs(self):
        return self.count("SELECT count(*) FROM epochs") if self.db.exists() else 0

    def kill_once(self, process, victim, seconds):
        """Kills a process by name under `process`, or itself, so long after there is one; returns
        whether."""
        def victims():
            return [process.pid] if victim is None else descendants(process.pid, victim)

        wait_until(f"a {victim}", lambda: process.poll() is not None or victims())
        time.sleep(seconds)  # the moment: not a wait for something
        pids = victims()
        if not pids or process.poll() is not None:
            return False
        try:
            os.kill(self.random.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False  # it ended at that moment
        return True

    def torment(self, study, kills, victim, longest, arguments, ranks=0):
        """Returns in how many runs something was killed."""
        seed = int.from_bytes(os.urandom(4), "big")
        self.random = random.Random(seed)
        hit = 0
        if not ranks:  # or a fast machine would be done before the first moment has come
            longest = min(longest, 0.6 * self.undisturbed_seconds)
        with self.subTest(seed=seed):
            for number in range(kills):
                before = self.epochs()
                process = self.start(
                    "run", study, "--db", self.db, *arguments, ranks=ranks,
                    wrapper=["--enable-recovery", WINDROW] if ranks else None,
                )
                # Every other moment counts from an epoch that was recorded, or on a slow machine
                # all of them would come before there is anything to lose.
                if number % 2 == 1:
                    wait_until("an epoch",
                               lambda: process.poll() is not None or self.epochs() > before)
                hit += self.kill_once(process, victim, self.random.uniform(0, longest))
                self.finish(process, expect=None)
            self.run_study(study, *arguments)
        return hit

    def assert_same_rows_as_undisturbed(self, columns):
        sql = f"SELECT trial, epoch, {columns} FROM epochs ORDER BY trial, epoch"
        self.assertEqual(self.rows(sql), self.rows(sql, self.folder / "undisturbed.db"))

    def test_coordinator(self):
        study = self.fake_study(xs=range(6), epochs=60, epoch_ms=5, checkpoints=True)
        self.run_undisturbed(study, "--slots", 2)
        hit = self.torment(study, 20, None, 0.4, ["--slots", 2])
        self.assert_each_trial_finished_once(6, 60)
        self.assert_same_rows_as_undisturbed("loss")
        self.assertGreater(hit, 0)
        self.assertGreater(self.count("SELECT count(*) FROM attempts WHERE resumed_from_epoch > 0"), 0)

    def test_trainers(self):
        study = self.fake_study(xs=range(6), epochs=60, epoch_ms=5, checkpoints=True)
        self.run_undisturbed(study, "--slots", 2)
        # A trial that was killed too often is failed: `retry` is what she would type.
        hit = 0
        for _ in range(6):
            hit += self.torment_without_end(study, "fake_trainer", 0.3)
            self.windrow("retry", "--db", self.db)
        self.assertGreater(hit, 0)
        self.run_study(study, "--slots", 2)
        self.assert_each_trial_finished_once(6, 60)
        self.assert_same_rows_as_undisturbed("loss")

    def torment_without_end(self, study, victim, longest):
        self.random = random.Random(os.urandom(4))
        process = self.start("run", study, "--db", self.db, "--slots", 2)
        hit = sum(self.kill_once(process, victim, self.random.uniform(0, longest)) for _ in range(4))
        self.finish(process, expect=None)
        return hit

    def test_ranks_under_mpirun(self):
        study = self.fake_study(xs=range(6), epochs=60, epoch_ms=5, checkpoints=True)
        self.run_undisturbed(study, "--slots", 2)
        arguments = ["--slots", 1, "--lost-after", 1]
        self.assertGreater(self.torment(study, 8, "windrow", 1.2, arguments, ranks=3), 0)
        self.assert_each_trial_finished_once(6, 60)
        self.assert_same_rows_as_undisturbed("loss")


@unittest.skipUnless(TRAINER, "built without LibTorch")
class KillsOfRealTraining(Kills):
    """Weights, optimizer state and metrics: the same bits as undisturbed, at 20 random moments."""

    def real_study(self):
        return self.write("sets.yaml", SETS)

    def test_coordinator(self):
        study = self.real_study()
        self.run_undisturbed(study, "--slots", 2)
        hit = self.torment(study, 20, None, 0.9, ["--slots", 2])
        self.assertGreater(hit, 0)
        self.assert_same_results()

    def test_trainers(self):
        study = self.real_study()
        self.run_undisturbed(study, "--slots", 2)
        self.random = random.Random(os.urandom(4))
        process = self.start("run", study, "--db", self.db, "--slots", 2)
        hit = sum(
            self.kill_once(process, "windrow-trainer", self.random.uniform(0.2, 0.6))
            for _ in range(5)
        )
        self.finish(process, expect=None)
        self.assertGreater(hit, 0)
        self.windrow("retry", "--db", self.db)
        self.run_study(study, "--slots", 2)
        self.assert_same_results()

    def test_ranks_under_mpirun(self):
        study = self.real_study()
        self.run_undisturbed(study, "--slots", 2)
        arguments = ["--slots", 1, "--lost-after", 1]
        self.assertGreater(self.torment(study, 5, "windrow", 1.5, arguments, ranks=2), 0)
        self.assert_same_results()

    def assert_same_results(self):
        self.assertEqual(self.rows("SELECT DISTINCT state FROM trials"), [("finished",)])
        self.assert_same_rows_as_undisturbed("state_hash, train_mse, val_mse")
        sql = "SELECT trial, epochs, best_epoch, test_mse, train_mse, val_mse FROM trials ORDER BY trial"
        self.assertEqual(self.rows(sql), self.rows(sql, self.folder / "undisturbed.db"))


if __name__ == "__main__":
    unittest.main()
