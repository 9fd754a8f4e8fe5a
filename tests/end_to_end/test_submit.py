"""windrow submit: the script that it writes, handed to stand-ins for sbatch, srun and scontrol."""

import os
import sqlite3
import subprocess
import unittest

from support import DEADLINE, WINDROW, WindrowTest
from test_sbatch import SCONTROL, SRUN

SBATCH = """#!/bin/bash
# Keeps what it is handed, and gives a number.
echo "$@" >> "$FOLDER/sbatch.arguments"
cp "${@: -1}" "$FOLDER/job.sh"
echo "$((40 + $(wc -l < "$FOLDER/sbatch.arguments")));cluster"
"""


class Submit(WindrowTest):
    def setUp(self):
        super().setUp()
        for name, text in (("srun", SRUN), ("scontrol", SCONTROL), ("sbatch", SBATCH)):
            self.write(name, text).chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "FOLDER": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "SLURM_JOB_ID": "42",
            "REQUEUED": str(self.folder / "requeued"),
        }

    def call(self, *command, expect=0):
        result = subprocess.run([str(part) for part in command], cwd=self.folder, text=True,
                                capture_output=True, timeout=DEADLINE, env=self.environment)
        self.out, self.err = result.stdout, result.stderr
        self.assertEqual(result.returncode, expect, self.out + self.err)
        return self.out

    def submit(self, study, *arguments, expect=0):
        return self.call(WINDROW, "submit", study, "--db", self.db, *arguments, expect=expect)

    def test_what_it_hands_in_runs_the_study_to_its_end(self):
        study = self.fake_study(xs=(1, 2), epochs=3)
        out = self.submit(study, "--time", "2:00:00", "--slots", "2")
        self.assertIn("job 41", out)
        self.assertIn("2 trials to run; how long they take is known once an epoch is measured",
                      self.err)
        self.call("bash", self.folder / "job.sh")
        self.assert_each_trial_finished_once(2, 3)
        self.submit(study, "--time", "2:00:00")
        self.assertIn("nothing is left to do", self.err)

    def test_a_dry_run_prints_the_script_and_hands_in_nothing(self):
        script = self.submit(self.fake_study(), "--nodes", "3", "--gpus-per-node", "2",
                             "--dry-run", "--", "--mem=8G")
        for line in ("#SBATCH --nodes=3", "#SBATCH --gpus-per-node=2", "#SBATCH --mem=8G"):
            self.assertIn(line, script.splitlines())
        self.call("bash", "-n", self.write("dry.sh", script))
        self.assertFalse((self.folder / "sbatch.arguments").exists())

    def test_each_job_of_a_chain_follows_the_one_before(self):
        self.submit(self.fake_study(), "--chain", "3")
        calls = (self.folder / "sbatch.arguments").read_text().splitlines()
        self.assertEqual([("--dependency=afterany:" in call) for call in calls],
                         [False, True, True])
        self.assertIn("afterany:42", calls[2])
        self.assertIn("#SBATCH --no-requeue", (self.folder / "job.sh").read_text())

    def test_no_name_is_run(self):
        study = self.fake_study(xs=(1,), epochs=1)
        evil = self.folder / "it's $(touch evil) `touch evil`\n; touch evil.yaml"
        study.rename(evil)
        self.submit(evil, "--slots", "1")
        self.call("bash", self.folder / "job.sh")
        self.assert_each_trial_finished_once(1, 1)
        self.assertFalse((self.folder / "evil").exists())
        self.submit(evil, "--partition", "$(touch evil)", expect=2)
        self.assertIn("--partition '$(touch evil)'", self.err)
        self.assertFalse((self.folder / "evil").exists())

    def test_a_time_in_which_no_epoch_ends_is_refused(self):
        study = self.fake_study(xs=(1,), epochs=2)
        self.run_study(study)
        with sqlite3.connect(self.db) as database:
            database.execute("UPDATE trial SET wall_seconds = 7200")
        database.close()
        study.write_text(study.read_text().replace("[1]", "[1, 2]"))
        self.submit(study, "--time", "0:30:00", "--dry-run", expect=2)
        self.assertIn("is too short: an epoch of the longest trial takes 1 h 00 min", self.err)
        script = self.submit(study, "--time", "3:00:00", "--dry-run")
        self.assertIn("1 trial to run, about 2 h 00 min on 1 slot", self.err)
        self.assertIn("#SBATCH --signal=B:USR1@5400", script)

    def test_a_cluster_fills_in_what_is_left_out(self):
        folder = self.folder / "config" / "windrow"
        folder.mkdir(parents=True)
        (folder / "clusters.yaml").write_text(
            "clusters:\n  alps: {partition: gpu, nodes: 2, time: '1-00', prologue: ['echo hello']}\n")
        script = self.submit(self.fake_study(), "--cluster", "alps", "--nodes", "5", "--dry-run")
        lines = script.splitlines()
        for line in ("#SBATCH --partition=gpu", "#SBATCH --nodes=5", "#SBATCH --time=1-00:00:00",
                     "echo hello"):
            self.assertIn(line, lines)
        self.submit(self.fake_study(), "--cluster", "andes", "--dry-run", expect=2)
        self.assertIn("none of those in", self.err)
        (folder / "clusters.yaml").write_text("clusters:\n  alps: {partitoin: gpu}\n")
        self.submit(self.fake_study(), "--cluster", "alps", "--dry-run", expect=2)
        self.assertIn("clusters.yaml:2:10: partitoin", self.err)


    def test_a_container_and_another_launcher(self):
        """With a stand-in for apptainer, which runs what it is given; mpirun is the real one."""
        self.write("apptainer", """#!/bin/bash
echo "$@" >> "$FOLDER/apptainer.arguments"
while [ "$1" != IMAGE.sif ]; do shift; done
shift
"$@"
""").chmod(0o755)
        study = self.fake_study(xs=(1, 2), epochs=2)
        self.environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        self.submit(study, "--slots", "2", "--container", "IMAGE.sif", "--launcher", "mpirun")
        self.call("bash", self.folder / "job.sh")
        self.assert_each_trial_finished_once(2, 2)
        calls = (self.folder / "apptainer.arguments").read_text().splitlines()
        self.assertTrue(calls[0].startswith(f"exec --nv --bind {self.folder} IMAGE.sif windrow run"))
        self.assertIn("windrow status", calls[-1])
        self.submit(study, "--launcher", "prun", expect=2)

    def test_workers_take_two_scripts(self):
        script = self.submit(self.fake_study(), "--workers", "20", "--gpus-per-node", "1",
                             "--time", "30", "--dry-run")
        run, workers = script.split("# Made by `windrow submit`.")[1:]
        for line in ("#SBATCH --nodes=1", "#SBATCH --cpus-per-task=1"):
            self.assertIn(line, run.splitlines())
        self.assertIn("'--serve' '--slots' '0'", run)
        self.assertNotIn("--gpus", run.split("set -u")[0])
        for line in ("#SBATCH --array=1-20", "#SBATCH --gpus-per-node=1", "#SBATCH --time=00:30:00",
                     f"windrow_join='{self.db}'"):
            self.assertIn(line, workers.splitlines())
        self.submit(self.fake_study(), "--workers", "20")
        self.assertIn("job 41\njob 42 of 20 workers", self.out)
        self.assertIn("--dependency=after:41",
                      (self.folder / "sbatch.arguments").read_text().splitlines()[1])


if __name__ == "__main__":
    unittest.main()
