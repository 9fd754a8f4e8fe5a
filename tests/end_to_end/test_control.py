"""A run seen and steered from outside: watch, logs, stop, cancel, and what they leave behind."""

import contextlib
import re
import signal
import sqlite3
import unittest

from support import WindrowTest, wait_until

SLOW = {"epochs": 400, "epoch_ms": 20, "checkpoints": True}


class Control(WindrowTest):
    def begin(self, *arguments, epochs=3, **study):
        self.study = self.fake_study(**{**SLOW, **study})
        process = self.start("run", self.study, "--db", self.db, "--slots", 2, *arguments)
        wait_until("some epochs", lambda: self.count("SELECT count(*) FROM epochs") >= epochs)
        return process

    def ask(self, *command, expect=0):
        return self.windrow(*command, "--db", self.db, expect=expect)

    def left_behind(self):
        return sorted(path.name for path in self.folder.iterdir()
                      if path.name.startswith("w.db.") and path.name != "w.db.checkpoints")

    def states(self):
        return dict(self.rows("SELECT state, count(*) FROM trials GROUP BY 1"))

    # ---- stop

    def test_a_stop_ends_the_run_for_good_and_a_run_goes_on(self):
        process = self.begin()
        self.assertEqual(self.ask("stop"), "it stops after the epochs in progress\n")
        self.finish(process, expect=3)
        self.assertIn("stopped by", self.err)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)])
        self.windrow("status", "--db", self.db, "--exit-code", expect=5)
        self.assertEqual(self.left_behind(), [])
        self.ask("cancel", 4)  # which is no run
        self.windrow("status", "--db", self.db, "--exit-code", expect=5)
        # A job that comes back without having been told to stop is another matter.
        process = self.begin(epochs=self.count("SELECT count(*) FROM epochs") + 1)
        process.send_signal(signal.SIGTERM)
        self.finish(process, expect=3)
        self.windrow("status", "--db", self.db, "--exit-code", expect=3)

    def test_a_stop_now_does_not_wait_for_the_epoch(self):
        self.study = self.fake_study(epochs=2, epoch_ms=3_600_000)
        process = self.start("run", self.study, "--db", self.db, "--slots", 2)
        wait_until("a trial", lambda: self.count(
            "SELECT count(*) FROM trials WHERE state = 'running'"))
        self.assertEqual(self.ask("stop", "--now"), "it stops at once\n")
        self.finish(process, expect=3)

    def test_without_a_run_there_is_nothing_to_stop(self):
        self.run_study(self.fake_study(epochs=1))
        self.ask("stop", expect=1)
        self.assertIn("no run works on", self.err)

    def test_a_copy_is_a_database_of_its_own(self):
        process = self.begin()
        copy = self.folder / "copy.db"
        with contextlib.closing(sqlite3.connect(self.db, timeout=30)) as database:
            database.execute(f"VACUUM INTO '{copy}'")
        self.windrow("stop", "--db", copy, expect=1)
        self.assertIn("no run works on", self.err)
        self.assertIn("no run works on this copy", self.windrow("status", "--db", copy))
        self.assertIn("\nrunning\n", self.ask("status"))
        self.windrow("run", self.fake_study(name="small"), "--db", copy, "--slots", 2)
        self.assertEqual(self.ask("stop"), "it stops after the epochs in progress\n")
        self.finish(process, expect=3)

    def test_a_killed_run_is_not_waited_for(self):
        process = self.begin()
        process.kill()
        process.communicate()
        self.ask("stop", expect=1)
        self.assertIn("was killed", self.err)

    # ---- cancel

    def test_what_runs_and_what_waits_is_cancelled_and_the_rest_goes_on(self):
        process = self.begin(xs=range(1, 7), epochs=3)
        running = [row[0] for row in self.rows(
            "SELECT trial FROM trials WHERE state = 'running' LIMIT 1")]
        self.assertEqual(self.ask("cancel", *running), "1 trial is cancelled\n")
        self.assertRegex(self.ask("cancel", "--where", "x >= 3"), "trials are cancelled")
        self.finish(process, expect=1)
        failures = self.rows("SELECT DISTINCT failure FROM trials WHERE state = 'failed'")
        self.assertEqual(failures, [("cancelled",)])
        self.assertIn((running[0],), self.rows("SELECT trial FROM failures"))
        self.assertRegex(self.rows("SELECT message FROM failures")[0][0], "cancelled by .*@")
        self.assertEqual(self.states()["failed"] + self.states()["finished"], 6)
        self.assertGreaterEqual(self.states()["finished"], 1)
        self.windrow("retry", "--db", self.db)
        self.assertIn("pending", self.states())

    def test_between_runs_too(self):
        process = self.begin()
        process.send_signal(signal.SIGINT)
        self.finish(process, expect=3)
        self.assertEqual(self.ask("cancel", 1, 2, 2), "2 trials are cancelled\n")
        self.assertEqual(self.states(), {"failed": 2, "pending": 2})
        self.assertIn("0 trials are cancelled", self.ask("cancel", 1))
        self.ask("cancel", 77, expect=2)
        self.assertIn("not all of these are trials", self.err)
        self.ask("cancel", "--where", "nonsense > 1", expect=4)
        self.assertIn("nonsense", self.err)
        self.ask("cancel", expect=2)

    # ---- watch, status

    def test_watch_shows_slots_the_best_and_the_last_failures(self):
        self.study = self.write("w.yaml", self.fake_study(
            xs=(1, 2, 3, 4), epochs=6, epoch_ms=50, fail_epoch=1, failing_x=1,
            fail_kind="spec").read_text() + "report: {compare: {metric: loss}}\n")
        process = self.start("run", self.study, "--db", self.db, "--slots", 2,
                             "--set", "epochs=2000")
        wait_until("the snapshot", (self.folder / "w.db.status.json").exists)
        look = lambda: self.ask("watch", "--once")
        wait_until("the failure in it", lambda: "spec" in look())
        self.assertRegex(self.out, r"fake: 0/4 trials finished, 1 failed, \d running")
        self.assertRegex(self.out, r"slot 0 .* epoch \d+/2000")
        self.assertRegex(self.out, r"run by pid \d+ on ")
        (self.folder / "other.db.status.json").write_bytes(
            (self.folder / "w.db.status.json").read_bytes())
        # Where the database itself can't be read, its run's snapshot is.
        out = self.windrow("status", "--db", self.folder / "other.db")
        self.assertRegex(out, r"slot 0 .* epoch \d+/2000")
        self.windrow("stop", "--db", self.db)
        self.finish(process, expect=3)
        self.assertIn("no run works on it now", look())

    def test_the_best_trials_come_first(self):
        gate = self.folder / "gate"
        self.study = self.write("w.yaml", self.fake_study(
            xs=(3, 1, 2, 9), epochs=1, wait_file=str(gate), wait_x=9).read_text()
            + "report: {compare: {metric: loss}}\n")
        process = self.start("run", self.study, "--db", self.db, "--slots", 2)
        wait_until("the snapshot", (self.folder / "w.db.status.json").exists)
        out = wait_until("the best of three", lambda: re.search(
            r"best so far by loss\n.*\n.*\n(.*)\n(.*)\n(.*)\n", self.ask("watch", "--once")))
        losses = [float(line.split()[-1]) for line in out.groups()]
        self.assertEqual(losses, sorted(losses))
        self.assertEqual(self.out.count("best so far"), 1)
        gate.touch()
        self.finish(process)

    def test_the_best_trials_have_the_values_of_the_study(self):
        gate = self.folder / "gate"
        # `host` is also a column of the view `trials`, `loss` a metric.
        self.study = self.write("w.yaml", self.fake_study(
            xs=(1, 9), epochs=1, wait_file=str(gate), wait_x=9).read_text().replace(
                "grid: {", "grid: {host: [true, false], loss: [null, 7], ")
            + "report: {compare: {metric: loss}}\n")
        process = self.start("run", self.study, "--db", self.db, "--slots", 6)
        wait_until("the snapshot", (self.folder / "w.db.status.json").exists)
        best = wait_until("the best of four", lambda: re.search(
            r"best so far by loss\n(.*)\n.*\n(.*)\n.*\n.*\n(.*)\n", self.ask("watch", "--once")))
        header, first, last = (line.split() for line in best.groups())
        self.assertEqual(header, ["trial", "host", "loss", "x", "seed", "loss"])
        self.assertEqual((first[1:4], last[1:4]), (["true", "-", "1"], ["false", "7", "1"]))
        self.assertEqual(float(first[-1]), 2)
        gate.touch()
        self.finish(process)

    # ---- logs

    PROGRAM = """
import os, sys, time
print("hello from attempt", os.environ["WINDROW_ATTEMPT"])
print("a warning", file=sys.stderr)
print('{"epoch": 1, "loss": 0.5}', flush=True)
if not os.path.exists("go"):
    time.sleep(3600)
print("bye")
"""

    def test_logs_are_kept_attempt_by_attempt_and_can_be_followed(self):
        program = self.write("train.py", self.PROGRAM)
        study = self.write("own.yaml", f"study: own\ntrainer: {{command: [python3, {program}]}}\n"
                                       "parameters: {epochs: 1}\n")
        process = self.start("run", study, "--db", self.db)
        wait_until("an epoch", lambda: self.count("SELECT count(*) FROM epochs"))
        process.send_signal(signal.SIGTERM)
        self.finish(process, expect=3)
        (self.folder / "go").touch()
        first = self.ask("logs", 1)
        for line in ("== attempt 1 on ", "hello from attempt 1\n", "a warning\n",
                     '{"epoch": 1, "loss": 0.5}\n'):
            self.assertIn(line, first)
        (self.folder / "go").unlink()
        process = self.start("run", study, "--db", self.db)
        wait_until("attempt 2", lambda: "hello from attempt 2" in self.ask("logs", 1))
        follower = self.start("logs", 1, "-f", "-n", 3, "--db", self.db)
        process.send_signal(signal.SIGTERM)
        self.finish(process, expect=3)
        (self.folder / "go").touch()
        self.assertIn('"epoch": 1', self.finish(follower))  # the run is over, and so is it
        self.run_study(study)
        self.assertIn("bye\n", self.ask("logs", 1, "-n", 4))

    def test_a_silent_trial_has_no_log(self):
        self.run_study(self.fake_study(epochs=1))
        self.ask("logs", 1, expect=1)
        self.assertIn("wrote nothing that is kept", self.err)
        self.ask("logs", 99, expect=4)
        self.assertFalse(list(self.folder.glob("w.db.checkpoints/*/logs")))


if __name__ == "__main__":
    unittest.main()
