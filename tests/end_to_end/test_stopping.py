"""Ctrl-C once and twice, and the signals that batch systems send."""

import os
import pty
import re
import signal
import time
import unittest

from support import WINDROW, WindrowTest, descendants, is_gone, wait_until


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
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
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

    def signal_all(self, process, number):
        """As srun and scancel do: to the ranks, their trainers and whatever else is there."""
        pids = [process.pid] + [
            pid
            for name in ("windrow-guard", "fake_trainer", "sh")
            for pid in descendants(process.pid, name)
        ]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # windrow, which got it first, has ended it

    def test_a_signal_to_every_process_of_a_step_blames_no_trial(self):
        for name in ("SIGUSR1", "SIGUSR2", "SIGTERM"):
            with self.subTest(name):
                self.db = self.folder / f"all-{name}.db"
                process = self.begin()
                self.signal_all(process, getattr(signal, name))
                self.finish(process, expect=3)
                self.assertEqual(
                    self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)]
                )
                self.go_on()

    def test_a_program_that_dies_of_the_same_signal_was_preempted(self):
        study = self.write(
            "p.yaml",
            "study: p\ntrainer: {command: [sh, -c, 'echo \"{\\\"epoch\\\": 1}\"; sleep 1000']}\n"
            "grid: {x: [1, 2]}\n",
        )
        process = self.start("run", study, "--db", self.db, "--slots", 2)
        wait_until("two epochs", lambda: self.count("SELECT count(*) FROM epochs") >= 2)
        self.signal_all(process, signal.SIGTERM)
        self.finish(process, expect=3)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)])

    def test_what_does_not_stop_is_ended_within_the_limit(self):
        study = self.fake_study(epochs=2, epoch_ms=3_600_000)
        process = self.start("run", study, "--db", self.db, "--slots", 2, "--stop-within", 0.5)
        wait_until(
            "a running trial",
            lambda: self.count("SELECT count(*) FROM trials WHERE state = 'running'"),
        )
        process.send_signal(signal.SIGUSR1)
        self.finish(process, expect=3)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)])

    def test_a_trainer_that_stands_still_hangs_and_the_trial_goes_on(self):
        study = self.fake_study(xs=(1,), epochs=60, epoch_ms=20, checkpoints=True)
        process = self.start("run", study, "--db", self.db, "--slots", 1, "--hang-after", 3)
        wait_until("three epochs", lambda: self.count("SELECT count(*) FROM epochs") >= 3)
        [trainer] = descendants(process.pid, "fake_trainer")
        os.kill(trainer, signal.SIGSTOP)
        self.finish(process)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("hang",)])
        self.assert_each_trial_finished_once(1, 60)

    def test_time_in_which_windrow_itself_stood_still_is_no_hang(self):
        study = self.fake_study(xs=(1,), epochs=40, epoch_ms=50, checkpoints=True)
        process = self.start("run", study, "--db", self.db, "--slots", 1, "--hang-after", 4)
        wait_until("three epochs", lambda: self.count("SELECT count(*) FROM epochs") >= 3)
        [trainer] = descendants(process.pid, "fake_trainer")
        for pid in (trainer, process.pid):  # as a suspended laptop does
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)  # the time that must not count
        for pid in (process.pid, trainer):
            os.kill(pid, signal.SIGCONT)
        self.finish(process)
        self.assertEqual(self.rows("SELECT * FROM failures"), [])

    def test_no_epoch_begins_that_would_end_too_late(self):
        study = self.fake_study(xs=(1, 2), epochs=1000, epoch_ms=100, checkpoints=True)
        self.run_study(study, "--slots", 2, "--until", "+5s", expect=3)
        self.assertIn("time limit", self.err)
        self.assertGreater(self.count("SELECT count(*) FROM epochs"), 0)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)])

    def test_under_mpirun_the_ranks_stop_together(self):
        process = self.begin(ranks=2)
        process.send_signal(signal.SIGTERM)
        self.finish(process, expect=None)  # mpirun's own
        self.windrow("status", self.study, "--db", self.db, "--exit-code", expect=3)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("preempted",)])
        self.go_on()
        self.windrow("status", self.study, "--db", self.db, "--exit-code", expect=0)


def screen(text):
    """What a terminal shows after it has got this text."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.|\n", text, re.S):
        if part.startswith("\x1b["):
            if part[-1] == "A":
                row -= int(part[2:-1])
            elif part[-1] == "J":
                lines[row] = lines[row][:column]
                del lines[row + 1:]
        elif part == "\n":
            row, column = row + 1, 0
        elif part == "\r":
            column = 0
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + 1:]
            column += 1
        while row >= len(lines):
            lines.append("")
    return [line for line in lines if line]


class OnATerminal(WindrowTest):
    def test_nothing_of_the_block_is_left_after_ctrl_c(self):
        study = self.fake_study(epochs=60, epoch_ms=20)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execv(WINDROW, [WINDROW, "run", str(study), "--db", str(self.db), "--slots", "2"])
        text, asked = "", False
        try:
            while True:
                text += os.read(terminal, 65536).decode()
                if not asked and re.search(r"%\r\n  slot", text):
                    os.write(terminal, b"\x03")
                    asked = True
        except OSError:  # the program has left the terminal
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 3)
        os.close(terminal)
        left = screen(text)
        self.assertTrue(asked)
        self.assertRegex(left[-1], r"^\d\d:\d\d:\d\d info fake: 0 of 4 trials finished")
        self.assertEqual([line for line in left if "slot" in line and "slots" not in line], [])
        self.assertEqual([line for line in left[:-1] if "trials finished" in line], [])


class HowFar(WindrowTest):
    def test_breadth_first_has_a_whole_table_when_it_is_stopped(self):
        study = self.fake_study(xs=(9, 1, 2), epochs=2, epoch_ms=20)
        study.write_text(study.read_text() + "seeds: 2\n")
        self.run_study(study, "--slots", 1, "--order", "breadth")
        began = self.rows("SELECT seed FROM trials JOIN attempts USING (trial) ORDER BY began_at")
        self.assertEqual([seed for seed, in began], [0, 0, 0, 1, 1, 1])

    def test_a_table_says_what_it_rests_on(self):
        gate = self.folder / "gate"
        study = self.fake_study(xs=(1, 2), wait_file=str(gate), wait_x=2)
        study.write_text(study.read_text() + "seeds: 2\n")
        process = self.start("run", study, "--db", self.db, "--slots", 1)
        wait_until("the first cell", lambda: self.db.exists() and self.count(
            "SELECT count(*) FROM trials WHERE state = 'finished'") == 2)
        process.kill()
        self.finish(process, expect=None)
        self.assertIn("Rests on 2 finished trials; 2 are not over.",
                      self.windrow("table", "--db", self.db))

    def test_after_so_many_failures_it_stops(self):
        study = self.fake_study(xs=(1, 2, 3, 4), fail_epoch=1, fail_kind="nan", failing_x=2,
                                epochs=20, epoch_ms=50)
        self.run_study(study, "--slots", 1, "--stop-after-failures", 2, expect=3)
        self.assertIn("2 trials have failed, so the run stops (--stop-after-failures)", self.err)
        self.assertEqual(self.count("SELECT count(*) FROM trials WHERE state = 'failed'"), 2)
        self.assertEqual(self.count("SELECT count(*) FROM trials WHERE state = 'finished'"), 0)
        self.run_study(study, expect=1)
        self.assertEqual(self.count("SELECT count(*) FROM trials WHERE state = 'finished'"), 2)


if __name__ == "__main__":
    unittest.main()
