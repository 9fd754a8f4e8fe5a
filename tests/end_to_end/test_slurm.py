"""On a real Slurm: slurm/test-cluster, four nodes on this machine."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import DEADLINE, SOURCE, WINDROW, WindrowTest, is_gone, wait_until

CLUSTER = SOURCE / "slurm/test-cluster"


def processes(marker):
    """Pids of processes in whose command line the text stands."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended
    return found


class Slurm(WindrowTest):
    @classmethod
    def setUpClass(cls):
        # Nodes have a /tmp of their own; this they share.
        cls.cluster = pathlib.Path(tempfile.mkdtemp(prefix="windrow-slurm-", dir="/var/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.cluster)
        up = subprocess.run([CLUSTER, "up", cls.cluster], capture_output=True, text=True,
                            timeout=DEADLINE)
        cls.addClassCleanup(cls.end_cluster)
        if up.returncode != 0:
            raise AssertionError(f"slurm/test-cluster can't be started:\n{up.stdout}{up.stderr}")
        os.environ["SLURM_CONF"] = up.stdout.strip()
        cls.addClassCleanup(os.environ.pop, "SLURM_CONF")
        # MPI libraries never free some of what they allocate; see support.py.
        os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")

    @classmethod
    def end_cluster(cls):
        subprocess.run([CLUSTER, "down", cls.cluster], timeout=DEADLINE, check=True)
        left = processes(os.fsencode(cls.cluster))
        if left:
            raise AssertionError(f"the cluster left processes behind: {left}")

    def setUp(self):
        super().setUp()
        shutil.rmtree(self.folder)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="windrow-test-", dir=self.cluster))
        self.db = self.folder / "w.db"

    def tearDown(self):
        self.slurm("scancel", "--user=root", "--full", "--signal=KILL", check=False)
        self.slurm("scancel", "--user=root", check=False)
        wait_until("an empty queue", lambda: not self.slurm("squeue", "--noheader"))
        self.wait_for_nodes()
        super().tearDown()

    # ---- Slurm

    def slurm(self, *command, check=True):
        result = subprocess.run([str(part) for part in command], cwd=self.folder, text=True,
                                capture_output=True, timeout=DEADLINE)
        if check:
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def wait_for_nodes(self):
        wait_until("four idle nodes", lambda: self.slurm(
            "sinfo", "--noheader", "--states=idle", "--partition=main", "--format=%D"
        ).strip() == "4")

    def submit(self, study, *arguments, expect=0):
        self.windrow("submit", study, "--db", self.db, "--nodes", 4, "--cpus-per-task", 4,
                     *arguments, expect=expect)
        found = re.search(r"^job (\d+)$", self.out, re.M)
        return found and found.group(1)

    def state(self, job):
        found = re.search(r"JobState=(\w+)", self.slurm("scontrol", "show", "job", "-o", job,
                                                        check=False))
        return found.group(1) if found else "gone"

    def restarts(self, job):
        return int(re.search(r"Restarts=(\d+)", self.slurm("scontrol", "show", "job", "-o",
                                                           job)).group(1))

    def ended(self, job, deadline=240):
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "gone")
        return wait_until("the job's end", lambda: self.state(job) in over and self.state(job),
                          deadline)

    def epochs(self):
        return self.count("SELECT count(*) FROM epochs") if self.db.exists() else 0

    def wait_for_epochs(self, more):
        goal = self.epochs() + more
        try:
            wait_until(f"{goal} epochs", lambda: self.epochs() >= goal)
        except AssertionError as late:
            raise AssertionError(f"{late}; there are {self.epochs()}\n"
                                 f"{self.slurm('squeue')}{self.log()}") from None

    def log(self):
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def assert_nobody_is_blamed(self, *kinds):
        found = {row[0] for row in self.rows("SELECT DISTINCT kind FROM failures")}
        self.assertLessEqual(found, set(kinds), self.log())

    # ---- what it must do

    def test_a_time_limit_is_outlived_and_each_attempt_says_its_job(self):
        study = self.fake_study(xs=range(24), epochs=250, epoch_ms=150, checkpoints=True)
        job = self.submit(study, "--time", "1")  # the shortest that Slurm has
        self.assertEqual(self.ended(job), "COMPLETED", self.log())
        self.assert_each_trial_finished_once(24, 250)
        self.assert_nobody_is_blamed("preempted")
        restarts = self.restarts(job)
        self.assertGreaterEqual(restarts, 1)
        # On a busy machine a minute may pass before anything is trained.
        jobs = self.rows("SELECT DISTINCT job, job_restarts FROM attempts ORDER BY 2")
        self.assertGreater(len(jobs), 1)
        self.assertLessEqual(set(jobs), {(job, number) for number in range(restarts + 1)})
        self.assertEqual(self.rows("SELECT DISTINCT node FROM attempts ORDER BY 1"),
                         [("n1",), ("n2",), ("n3",), ("n4",)])
        self.assertEqual(self.count("SELECT count(*) FROM attempts WHERE job_ends_at IS NULL"), 0)

    def test_lost_ranks_lost_nodes_suspension_pre_emption_and_requeues_blame_nobody(self):
        study = self.fake_study(xs=range(24), epochs=200, epoch_ms=100, checkpoints=True)
        job = self.submit(study, "--time", "10", "--slots", 1)
        self.wait_for_epochs(50)

        self.slurm("scontrol", "suspend", job)
        before = self.epochs()
        self.slurm("scontrol", "resume", job)
        self.wait_for_epochs(50)
        self.assertGreater(self.epochs(), before)

        ranks = [pid for pid in processes(os.fsencode(self.db))
                 if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "windrow"
                 and b"SLURM_PROCID=3" in pathlib.Path(f"/proc/{pid}/environ").read_bytes()]
        self.assertEqual(len(ranks), 1)
        os.kill(ranks[0], signal.SIGKILL)
        self.wait_for_epochs(50)

        self.slurm("scontrol", "update", "NodeName=n2", "State=down", "Reason=test")
        self.wait_for_epochs(50)
        # It may have come back by itself.
        self.slurm("scontrol", "update", "NodeName=n2", "State=resume", check=False)
        self.wait_for_epochs(50)

        high = self.slurm("sbatch", "--parsable", "--partition=high", "--nodes=3", "--exclusive",
                          "--wrap", "sleep 2").strip()
        wait_until("pre-emption", lambda: self.state(job) != "RUNNING")
        self.assertEqual(self.ended(high), "COMPLETED")
        wait_until("the job to be back", lambda: self.state(job) == "RUNNING")
        self.wait_for_epochs(50)

        self.slurm("scontrol", "requeue", job)
        wait_until("the requeue", lambda: self.state(job) != "RUNNING")
        wait_until("the job to be back", lambda: self.state(job) == "RUNNING")
        self.wait_for_epochs(50)

        self.slurm("scancel", job)  # by the user: for good
        self.assertEqual(self.ended(job), "CANCELLED")
        self.windrow("status", study, "--db", self.db, "--exit-code", expect=3)

        job = self.submit(study, "--time", "10", "--slots", 4)
        self.assertEqual(self.ended(job), "COMPLETED", self.log())
        self.assert_each_trial_finished_once(24, 200)
        self.assert_nobody_is_blamed("preempted", "node")

    def test_windrow_stop_from_the_login_node_ends_the_job_for_good(self):
        study = self.fake_study(xs=range(8), epochs=1000, epoch_ms=50, checkpoints=True)
        job = self.submit(study, "--time", "10")
        self.wait_for_epochs(20)
        self.windrow("stop", "--db", self.db)
        self.ended(job)
        self.assertEqual(self.restarts(job), 0, self.log())
        self.windrow("status", study, "--db", self.db, "--exit-code", expect=5)

    def test_workers_of_small_jobs_do_a_study(self):
        study = self.fake_study(xs=range(24), epochs=100, epoch_ms=100, checkpoints=True)
        self.windrow("submit", study, "--db", self.db, "--workers", 6, "--cpus-per-task", 2,
                     "--time", "1", "--slots", 2)
        run, workers = re.findall(r"^job (\d+)", self.out, re.M)
        self.wait_for_epochs(20)
        # One is killed, one is sent home and comes back.
        self.slurm("scancel", "--signal=KILL", "--full", f"{workers}_1")
        self.slurm("scontrol", "requeue", f"{workers}_2")
        self.assertEqual(self.ended(run), "COMPLETED", self.log())
        wait_until("the workers' end", lambda: not self.slurm("squeue", "--noheader"))
        self.assert_each_trial_finished_once(24, 100)
        self.assert_nobody_is_blamed("preempted", "node")
        jobs = {row[0] for row in self.rows("SELECT DISTINCT job FROM attempts")}
        self.assertLessEqual({f"{workers}_{task}" for task in range(1, 7)}, jobs)

    def test_mpirun_inside_of_an_allocation(self):
        study = self.fake_study(xs=range(24), epochs=60, epoch_ms=100, checkpoints=True)
        environment = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        os.environ.update(environment)
        job = self.submit(study, "--time", "10", "--launcher", "mpirun")
        self.wait_for_epochs(50)
        self.slurm("scancel", "--batch", "--signal=USR1", job)
        wait_until("the requeue", lambda: self.state(job) != "RUNNING")
        self.assertEqual(self.ended(job), "COMPLETED", self.log())
        self.assertEqual(self.restarts(job), 1)
        self.assert_each_trial_finished_once(24, 60)
        self.assert_nobody_is_blamed("preempted")

    def test_doctor_says_what_each_rank_sees(self):
        out = self.slurm("srun", "--nodes=2", "--ntasks-per-node=2", "--mpi=pmix", WINDROW,
                         "doctor", "--db", self.db, check=False)
        for rank in range(4):
            self.assertRegex(out, rf"rank {rank} .*\(n[1-4]\): \d+ cores, no GPU, \d+ slots")
        self.assertEqual(out.count("version 0"), 1)  # rank 0 alone speaks
        out = self.slurm("srun", "--nodes=2", "--mpi=none", WINDROW, "doctor", "--db", self.db,
                         check=False)
        self.assertIn("FAULT   launcher", out)
        self.assertIn("srun --mpi=list", out)

    def test_a_drill_on_four_nodes_loses_nothing(self):
        launcher = "srun --nodes=4 --ntasks-per-node=1 --mpi=pmix --kill-on-bad-exit=0"
        told = json.loads(self.windrow(
            "drill", "--dir", self.folder, "--launch", launcher, "--lost-after", 2, "--trials", 6, "--json",
            "--only", "trainer-killed,rank-killed,rank-lost,coordinator-killed,run-stopped"))
        self.assertEqual([each["verdict"] for each in told], ["held"] * 5, self.out)

    def test_a_second_submit_of_a_study_is_told(self):
        study = self.fake_study(epochs=1000, epoch_ms=50)
        job = self.submit(study)
        self.submit(study, expect=2)
        self.assertIn(f"job {job} works on", self.err)
        self.slurm("scancel", job)
        self.ended(job)
        self.slurm("scancel", self.submit(study))

    def test_sbatch_takes_the_script_and_no_name_in_it_is_run(self):
        evil = self.folder / 'it\'s "$(touch evil)`touch evil`\n; touch evil.yaml'
        self.fake_study(xs=(1,), epochs=1).rename(evil)
        script = self.windrow("submit", evil, "--db", self.db, "--nodes", 2, "--gpus-per-node", 2,
                              "--time", "1-02:00:00", "--dry-run")
        self.slurm("sbatch", "--test-only", self.write("dry.sh", script))
        self.assertEqual(self.ended(self.submit(evil)), "COMPLETED", self.log())
        self.assert_each_trial_finished_once(1, 1)
        self.assertFalse((self.folder / "evil").exists())


if __name__ == "__main__":
    unittest.main()
