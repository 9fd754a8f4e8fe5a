"""Ctrl-C once and twice, and the signals that batch systems send."""

import signal
import unittest

from support import WindrowTest, descendants, is_gone, wait_until


class Stopping(WindrowTest):
    def begin(self, **options):
        self.study = self.fake_study(epochs=60, epoch_ms=20, checkpoints=True)
        process = self.start("run", self.study, "--db", self.db, "--slots", 2, **options)
        wait_until("three epochs", lambda: self.count("SELECT count(*) FROM epochs") >= 3)
        return process

    def go_on(self):
        before = self.rows("SELECT trial, epoch, attempt, loss FROM epochs ORDER BY trial, epoch")
        self.run_study(self.study, "--slots", 2, "--set", "epochs=60")
        self.assert_each_trial_finished_once(4, 60)
        self.assertEqual(
            before,
            [
                row
                for row in self.rows(
                    "SELECT trial, epoch, attempt, loss FROM epochs ORDER BY trial, epoch"
                )
                if row[:2] in {old[:2] for old in before}
            ],
        )

    def test_each_polite_signal_finishes_the_epoch_and_leaves_with_3(self):
        for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
            with self.subTest(name):
                self.db = self.folder / f"{name}.db"
                process = self.begin()
                process.send_signal(getattr(signal, name))
                self.finish(process, expect=3)
                self.assertIn("the same command goes on", self.err)
                self.assertEqual(
                    self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)]
                )
                self.assertEqual(self.rows("SELECT DISTINCT state FROM trials"), [("pending",)])
                self.go_on()

    def test_twice_leaves_at_once(self):
        study = self.fake_study(epochs=2, epoch_ms=3_600_000)  # an epoch that would not end
        process = self.start("run", study, "--db", self.db, "--slots", 2)
        wait_until(
            "a running trial",
            lambda: self.count("SELECT count(*) FROM trials WHERE state = 'running'"),
        )
        trainers = descendants(process.pid, "fake_trainer")
        process.send_signal(signal.SIGINT)
        wait_until(
            "the first Ctrl-C",
            lambda: self.count("SELECT count(*) FROM event WHERE kind = 'stop'"),
        )
        process.send_signal(signal.SIGINT)
        self.finish(process, expect=3)
        for pid in trainers:
            wait_until("the trainer's end", lambda: is_gone(pid))

    def test_under_mpirun_the_ranks_stop_together(self):
        process = self.begin(ranks=2)
        process.send_signal(signal.SIGTERM)
        self.finish(process, expect=None)
        self.assertNotEqual(process.returncode, 0)
        self.go_on()


if __name__ == "__main__":
    unittest.main()
