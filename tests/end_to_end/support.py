"""What the whole-program tests share: a folder of their own, `windrow` as a process, the database.

The environment names the programs: WINDROW, FAKE_TRAINER, SOURCE_DIR and, where MPI and LibTorch
are built, MPIRUN and WINDROW_TRAINER.
"""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

WINDROW = os.environ["WINDROW"]
FAKE = os.environ["FAKE_TRAINER"]
SOURCE = pathlib.Path(os.environ["SOURCE_DIR"])
MPIRUN = os.environ.get("MPIRUN", "mpirun")
DEADLINE = 120  # seconds that anything may take

# A study of windrow-trainer that takes some seconds.
SETS = """
study: sets
task: choice-sets
parameters: {train_sets: 3000, test_sets: 500, epochs: 25}
early_stopping: {metric: val_mse, goal: min, patience: 5, restore_best: true}
seeds: 2
cases: [{depth: 3, width: 100}, {depth: 2, width: 200}, {depth: 3, width: 10}]
"""


def wait_until(what, condition, deadline=DEADLINE):
    """Polls until condition() is true, and returns its value."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError(f"{what}: not within {deadline} s")


def children(pid):
    """Pids of the living children of a process; none if it ends meanwhile."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                text = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text()
            except OSError:
                continue  # this thread has ended
            found += [int(child) for child in text.split()]
    except OSError:
        pass  # the process has
    return found


def command_name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def descendants(pid, name):
    found = []
    for child in children(pid):
        if command_name(child) == name:
            found.append(child)
        found += descendants(child, name)
    return found


def is_gone(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state in "ZX"


class WindrowTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="windrow-test-"))
        self.db = self.folder / "w.db"
        self.started = []

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                for pid in descendants(process.pid, "windrow") + [process.pid]:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            process.communicate()
        shutil.rmtree(self.folder)

    # ---- studies

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def fake_study(self, xs=(1, 2, 3, 4), trainer_arguments=(), name="fake", **parameters):
        """A study whose trainer is the fake one; see tests/fakes/fake_trainer.cpp."""
        parameters = {"epochs": 3, **parameters}
        command = json.dumps([FAKE, *trainer_arguments])
        return self.write(
            f"{name}.yaml",
            f"study: {name}\n"
            f"trainer: {{command: {command}, persistent: true}}\n"
            f"parameters: {json.dumps(parameters)}\n"
            f"grid: {{x: {json.dumps(list(xs))}}}\n",
        )

    # ---- running

    def start(self, *arguments, ranks=0, env=None, wrapper=None):
        command = [*(wrapper or [WINDROW]), *map(str, arguments)]
        if ranks:
            command = [MPIRUN, "--oversubscribe", "-n", str(ranks), *command]
        if ranks or wrapper:
            # MPI libraries never free some of what they allocate; built with AddressSanitizer, the
            # ranks would end with its exit code for that. Runs without a launcher look for leaks.
            env = {"ASAN_OPTIONS": "detect_leaks=0", **(env or {})}
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "OMPI_ALLOW_RUN_AS_ROOT": "1",
                "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                **(env or {}),
            },
        )
        self.started.append(process)
        return process

    def finish(self, process, expect=0):
        """Waits for the process; its output is kept in self.out and self.err."""
        self.out, self.err = process.communicate(timeout=DEADLINE)
        if expect is not None:
            self.assertEqual(process.returncode, expect, self.out + self.err)
        return self.out

    def windrow(self, *arguments, expect=0, **options):
        return self.finish(self.start(*arguments, **options), expect)

    def run_study(self, study, *arguments, expect=0, **options):
        return self.windrow(
            "run", study, "--db", self.db, *arguments, expect=expect, **options
        )

    # ---- the database, as any SQLite program sees it

    def rows(self, sql, db=None):
        connection = sqlite3.connect(f"file:{db or self.db}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def count(self, sql):
        """The count, or 0 while the database or its views are still being made."""
        try:
            return self.rows(sql)[0][0]
        except sqlite3.OperationalError:
            return 0

    def assert_each_trial_finished_once(self, trials, epochs):
        self.assertEqual(
            self.rows("SELECT state, count(*) FROM trials GROUP BY state"),
            [("finished", trials)],
        )
        self.assertEqual(
            self.rows(
                "SELECT count(*), count(DISTINCT trial), min(n), max(n), min(last), max(last) FROM "
                "(SELECT trial, count(*) AS n, max(epoch) AS last FROM epochs GROUP BY trial)"
            ),
            [(trials, trials, epochs, epochs, epochs, epochs)],
        )
        self.assertEqual(
            self.rows(
                "SELECT count(*) FROM attempts WHERE outcome = 'finished' GROUP BY trial "
                "HAVING count(*) <> 1"
            ),
            [],
        )
