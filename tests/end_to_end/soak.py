"""Random signals to any process of a run, and to all of them, round after round.

scripts/soak runs many rounds; test_soak.py a few, and asserts that they hit something: a round in
which nothing was hit proves nothing.
"""

import collections
import os
import pathlib
import random
import signal
import sys
import time
import unittest

from support import FAKE, SETS, WINDROW, WindrowTest, children, command_name, descendants, is_gone, wait_until

TRAINER = os.environ.get("WINDROW_TRAINER", "")
SIGNALS = [(signal.SIGKILL, 7), (signal.SIGSTOP, 5), (signal.SIGTERM, 4), (signal.SIGUSR1, 4)]
# As often a trial may crash: a trainer that somebody kills looks like one that crashed.
TRAINER_DEATHS = 2
SESSIONS = 60  # after which a round has failed
HUNG_LAUNCHER = 15  # seconds without any rank


def family(pid):
    """The process and all that descend from it."""
    found = [pid]
    for child in children(pid):
        found += family(child)
    return found


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended at that moment


class Soak(WindrowTest):
    def setUp(self):
        super().setUp()
        self.sum = collections.Counter()  # of all rounds
        self.hits = collections.Counter()

    # ---- a round

    def one_signal(self, process):
        pids = [pid for pid in family(process.pid) if command_name(pid)]
        number = self.random.choices(*zip(*SIGNALS))[0]
        to_all = self.random.random() < 0.25
        targets = pids if to_all else [self.random.choice(pids)]
        name = "all" if to_all else command_name(targets[0])
        is_trainers = name in ("windrow-guard", "windrow-gang", pathlib.Path(self.trainer).name[:15])
        if is_trainers and number in (signal.SIGKILL, signal.SIGTERM):
            if self.deaths == TRAINER_DEATHS:
                return
            self.deaths += 1
        for pid in targets:
            send(pid, number)
        self.hits[f"{number.name} to {name}"] += 1
        if number == signal.SIGSTOP:
            time.sleep(self.random.uniform(0.05, 2.0))
            for pid in targets:
                send(pid, signal.SIGCONT)

    def one_session(self, study, ranks):
        process = self.start("run", study, "--db", self.db, "--slots", "1" if ranks else "2",
                             "--lost-after", "1", ranks=ranks,
                             wrapper=["--enable-recovery", WINDROW] if ranks else None)
        self.sum["sessions"] += 1
        moment = time.monotonic()
        alive = moment
        while process.poll() is None:
            # Open MPI 4's mpirun can wait for itself for ever (PMIx) when it has lost its ranks.
            if any(not is_gone(pid) for pid in descendants(process.pid, "windrow")):
                alive = time.monotonic()
            elif ranks and time.monotonic() - alive > HUNG_LAUNCHER:
                process.kill()
                self.sum["hung launchers"] += 1
            moment += self.random.uniform(0.02, 0.8)
            while process.poll() is None and time.monotonic() < moment:
                time.sleep(0.005)
            # Calm in the end, so that there is one.
            if process.poll() is None and self.signals_left > 0:
                self.signals_left -= 1
                self.one_signal(process)
        self.finish(process, expect=None)
        return process.returncode

    def one_round(self, number, study):
        self.random = random.Random(number)
        self.deaths = 0
        self.signals_left = self.random.randint(5, 25)
        self.db = self.folder / f"round-{number}.db"
        ranks = self.random.choice([0, 2, 3, 4])
        for _ in range(SESSIONS):
            code = self.one_session(study, ranks)
            # mpirun may say 0 of ranks that were killed.
            open_trials = self.count("SELECT count(*) FROM trials WHERE state <> 'finished'")
            is_done = open_trials == 0 and self.count("SELECT count(*) FROM trials") > 0
            # One that is killed when all is done has not said so.
            if not ranks and (code >= 0 or not is_done):
                self.assertEqual(code == 0, is_done, f"exit code {code}: {self.out}{self.err}")
            if is_done or self.count("SELECT count(*) FROM trials WHERE state = 'failed'") > 0:
                return
        self.fail(f"not done after {SESSIONS} sessions: {self.out}{self.err}")

    # ---- what must hold

    def orphans(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "cwd") == str(self.folder):
                    found.append(entry.name)
            except OSError:
                pass  # it has ended, or is not ours
        return found

    def compare(self, columns):
        failed = self.rows("SELECT trial, attempt, kind, message, host, slot FROM failures WHERE trial IN "
                           "(SELECT trial FROM trials WHERE state = 'failed')")
        self.sum["failed"] += len({row[0] for row in failed})
        self.assertEqual(failed, [], "trials that are failed for good")
        sql = f"SELECT trial, epoch, {columns} FROM epochs ORDER BY trial, epoch"
        expected, got = self.rows(sql, self.folder / "undisturbed.db"), self.rows(sql)
        places = [row[:2] for row in got]
        self.sum["missing"] += len({row[:2] for row in expected} - set(places))
        self.sum["double"] += len(places) - len(set(places))
        self.sum["wrong"] += len(set(got) - set(expected))
        self.sum["epochs"] += len(got)
        try:
            wait_until("no process is left", lambda: not self.orphans(), 15)
        except AssertionError:
            self.sum["orphans"] += len(self.orphans())

    def soak(self, study, trainer, columns, first, rounds):
        self.trainer = trainer
        self.db = self.folder / "undisturbed.db"
        if not self.db.exists():
            self.run_study(study, "--slots", 2)
        for number in range(first, first + rounds):
            with self.subTest(round=number):
                self.one_round(number, study)
                self.compare(columns)
                self.sum["rounds"] += 1
        for what in ("missing", "double", "wrong", "failed", "orphans"):
            self.assertEqual(self.sum[what], 0, what)

    def soak_fake(self, first, rounds):
        study = self.fake_study(xs=range(6), epochs=60, epoch_ms=5, checkpoints=True)
        self.soak(study, FAKE, "loss", first, rounds)

    def soak_real(self, first, rounds):
        self.soak(self.write("sets.yaml", SETS), TRAINER, "state_hash, train_mse, val_mse", first, rounds)

    def told(self):
        counted = " ".join(f"{what} {self.sum[what]}" for what in (
            "rounds", "sessions", "epochs", "missing", "double", "wrong", "failed", "orphans", "hung launchers"))
        return counted + "\n" + "\n".join(f"  {count}  {what}" for what, count in sorted(self.hits.items()))


class Long(Soak):
    """ROUNDS of the fake trainer and REAL of windrow-trainer, from round FIRST on."""

    def test_fake(self):
        if rounds := int(os.environ["ROUNDS"]):
            self.soak_fake(int(os.environ.get("FIRST", "1")), rounds)
            print(self.told())

    @unittest.skipUnless(TRAINER, "built without LibTorch")
    def test_real(self):
        if rounds := int(os.environ["REAL"]):
            self.soak_real(int(os.environ.get("FIRST", "1")), rounds)
            print("windrow-trainer, to the bit: " + self.told())


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False, argv=[sys.argv[0], "Long"]).result.wasSuccessful())
