"""Bad nodes, bad programs: who is blamed, and what is lost."""

import json
import os
import pathlib
import sys
import unittest

from support import FAKE, MPIRUN, WINDROW, WindrowTest, wait_until

TRAIN = """
import json, os, sys
if os.environ.get("BAD_NODE"):
    sys.exit(1)
x = json.loads(os.environ["WINDROW_PARAMETERS"])["x"]
print(json.dumps({"epoch": 1, "loss": (x - 8) ** 2}))
"""


GREEDY = """
import json, os, subprocess, sys
eat = [sys.executable, "-c", "bytearray(1 << 30)"]
x = json.loads(os.environ["WINDROW_PARAMETERS"])["x"]
print(json.dumps({"epoch": 1, "loss": x}), flush=True)
if x == 2:
    os.execv(eat[0], eat)
if x == 3 and subprocess.run(eat).returncode != 0:
    sys.exit("a worker of mine was killed")
"""

# Two of these are too large for 500 MiB.
HUNGRY = """
import json, time
held = bytearray(300 << 20)
time.sleep(1)
print(json.dumps({"epoch": 1, "loss": 1}), flush=True)
"""


def memory_group(limit):
    """A control group below this process's own, with so much memory; None where none can be made."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        v1 = "memory" in controllers.split(",")
        if not v1 and controllers:
            continue
        mount = "/sys/fs/cgroup/memory" if v1 else "/sys/fs/cgroup"
        group = pathlib.Path(mount + path) / f"windrow-test-{os.getpid()}"
        try:
            group.mkdir()
            (group / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(limit))
            return group
        except OSError:
            if group.is_dir():
                group.rmdir()
    return None


class Blame(WindrowTest):
    def study(self, xs, rest=""):
        self.script = self.write("train.py", TRAIN)
        return self.write(
            "study.yaml",
            f"study: blame\ntrainer: {{command: {json.dumps([sys.executable, str(self.script)])}}}\n"
            + (rest or f"grid: {{x: {list(xs)}}}\n"),
        )

    def states(self):
        return dict(self.rows("SELECT state, count(*) FROM trials GROUP BY state"))

    def run_in_500_mib(self, program, xs, expect=0):
        group = memory_group(500 << 20)
        if group is None:
            self.skipTest("no control group with a memory limit can be made here")
        self.addCleanup(group.rmdir)
        script = self.write("train.py", program)
        study = self.write("study.yaml", f"study: memory\ntrainer: {{command: "
                           f"{json.dumps([sys.executable, str(script)])}}}\ngrid: {{x: {xs}}}\n")
        enter = f'echo $$ > {group}/cgroup.procs && exec "$@"'
        self.run_study(study, "--slots", 2, expect=expect,
                       wrapper=["sh", "-c", enter, "sh", WINDROW])

    def test_what_the_kernel_kills_for_memory_is_out_of_memory(self):
        self.run_in_500_mib(GREEDY, xs=[1, 2, 3], expect=1)
        self.assertEqual(self.rows("SELECT x, state, failure FROM trials ORDER BY x"),
                         [(1, "finished", None), (2, "failed", "oom"), (3, "failed", "oom")])
        self.assertEqual(self.rows("SELECT DISTINCT kind, message LIKE '%more memory%' FROM failures"),
                         [("oom", 1)])

    def test_trials_that_are_too_many_for_the_memory_are_trained_fewer_at_a_time(self):
        self.run_in_500_mib(HUNGRY, xs=[1, 2, 3, 4])
        self.assertEqual(self.states(), {"finished": 4})
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("oom",)])
        self.assertIn("its host has too little memory for so many trials at a time", self.err)

    def test_a_node_that_fails_everything_fails_no_trial(self):
        study = self.study(
            [],
            f"stages:\n  first: {{grid: {{x: {list(range(24))}}}}}\n"
            "  second: {grid: {y: [1]}, best: {of: first, by: loss}}\n",
        )
        run = ["run", study, "--db", self.db, "--slots", 1]
        self.windrow(
            "--oversubscribe", "-n", 1, WINDROW, *run,
            ":", "-n", 1, "env", "BAD_NODE=1", WINDROW, *run, wrapper=[MPIRUN],
        )
        self.assertEqual(self.states(), {"finished": 25})
        self.assertEqual(self.rows("SELECT x FROM trials WHERE stages = 'second'"), [(8,)])

    def test_a_program_that_is_gone_in_mid_run_stops_it_and_charges_nobody(self):
        study = self.study(range(100))
        process = self.start("run", study, "--db", self.db, "--slots", 2)
        wait_until("ten trials", lambda: self.count(
            "SELECT count(*) FROM trials WHERE state = 'finished'") >= 10)
        gone = self.script.rename(self.folder / "gone.py")
        self.finish(process, expect=3)
        self.assertIn("everything fails alike on all slots", self.err)
        self.assertEqual(set(self.states()), {"finished", "pending"})
        gone.rename(self.script)
        self.run_study(study)
        self.assertEqual(self.states(), {"finished": 100})

    def test_the_last_trial_is_not_charged_with_an_environment_that_is_not_loaded(self):
        self.run_study(self.study([1]))
        study = self.study([1, 2])
        for _ in range(2):
            self.run_study(study, "--slots", 2, expect=3, env={"BAD_NODE": "1"})
            self.assertIn("nothing that is left could be trained, though trials were", self.err)
            self.assertEqual(self.states(), {"finished": 1, "pending": 1})
        self.run_study(study)
        self.assertEqual(self.states(), {"finished": 2})

    def test_a_trainer_that_starts_no_more_after_a_run_charges_nobody(self):
        module = self.write("module.py", "")  # as of an environment that is loaded by hand
        command = ["sh", "-c", f'test -e {module} && exec "$0"', FAKE]
        study = "study: blame\ntrainer: {command: %s, persistent: true}\ngrid: {x: %s}\n"
        self.run_study(self.write("study.yaml", study % (json.dumps(command), [1])))
        self.write("study.yaml", study % (json.dumps(command), [1, 2, 3]))
        gone = module.rename(self.folder / "gone.py")
        for _ in range(3):  # however often it is tried
            self.run_study("study.yaml", "--slots", 2, expect=3)
            self.assertIn("before it said ready", self.err)
            self.assertIn("mend the cause and run the same command again", self.err)
            self.assertEqual(self.states(), {"finished": 1, "pending": 2})
        gone.rename(module)
        self.run_study("study.yaml")
        self.assertEqual(self.states(), {"finished": 3})

    def test_an_interpreter_that_is_gone_is_refused_before_anything_starts(self):
        script = self.folder / "train.py"
        study = f"study: blame\ntrainer: {{command: [{script}]}}\ngrid: {{x: [1]}}\n"
        for line, why in (
            ("#!/opt/gone/bin/python -u", "/opt/gone/bin/python, which does not exist"),
            ("#!/usr/bin/env -S X=1 no-python -u", "no-python, which is not in PATH"),
        ):
            script.write_text(f"{line}\n{TRAIN}")
            script.chmod(0o755)
            self.run_study(self.write("study.yaml", study), expect=2)
            self.assertIn(f"{script} is run by {why}", self.err)
            self.assertFalse(self.db.exists())
        script.write_text(f"#!/usr/bin/env -S X=1 {sys.executable}\n{TRAIN}")
        self.run_study("study.yaml")

    def test_parameters_that_are_too_long_for_a_program_fail_their_trial_alone(self):
        self.run_study(self.study([], f"grid: {{x: [1, 2], y: [short, {'l' * 140_000}]}}\n"), expect=1)
        self.assertEqual(self.rows("SELECT DISTINCT x, length(y) > 9, state, failure FROM trials"),
                         [(1, 0, "finished", None), (1, 1, "failed", "spec"),
                          (2, 0, "finished", None), (2, 1, "failed", "spec")])
        self.assertIn("put long values into files", self.err)

    def test_windrow_without_a_part_of_it_is_refused_before_anything_starts(self):
        copy = self.folder / "windrow"
        copy.write_bytes(pathlib.Path(WINDROW).read_bytes())
        copy.chmod(0o755)
        self.run_study(self.study([1]), expect=2, wrapper=[copy])
        self.assertIn("windrow is not installed whole", self.err)
        self.assertFalse(self.db.exists())

    def test_a_stage_does_not_select_from_one_that_the_machine_failed(self):
        trainer = json.dumps([sys.executable, "-c", (
            "import json, os, signal; x = json.loads(os.environ['WINDROW_PARAMETERS'])['x']\n"
            "if x == 8: os.kill(os.getpid(), signal.SIGSEGV)\n"
            "print(json.dumps({'epoch': 1, 'loss': (x - 8) ** 2}))")])
        stages = (
            f"study: s\ntrainer: {{command: {trainer}}}\n"
            "stages:\n  first: {grid: {x: [6, 7, 8]}}\n"
            "  second: {grid: {y: [1]}, best: {of: first, by: loss%s}}\n"
        )
        self.run_study(self.write("s.yaml", stages % ""), expect=1)
        self.assertIn("crash", self.err)
        self.assertEqual(self.count("SELECT count(*) FROM trials WHERE stages = 'second'"), 0)
        self.run_study(self.write("s.yaml", stages % ", despite: [crash]"), expect=1)
        self.assertEqual(self.rows("SELECT x FROM trials WHERE stages = 'second'"), [(7,)])


if __name__ == "__main__":
    unittest.main()
