"""The same build under the launchers and libraries of several MPIs.

Debian's Open MPI 4 is what test_mpi.py runs under; here are Open MPI 5, MPICH 5 and the ABI of MPI
5.0, which scripts/setup --tests fetches.
"""

import os
import pathlib
import signal
import unittest

from support import WINDROW, WindrowTest, descendants, wait_until

OPENMPI = pathlib.Path(os.environ["OPENMPI"])
MPICH = pathlib.Path(os.environ["MPICH"])
ROOT = {name: "1" for name in ("PRTE_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM")}


class Libraries(WindrowTest):
    def launch(self, launcher, *arguments, study, env=None, expect=0):
        self.windrow(
            *arguments, WINDROW, "run", study, "--db", self.db, "--slots", 1,
            wrapper=[launcher], env={**ROOT, **(env or {})}, expect=expect,
        )

    def assert_two_ranks_worked(self):
        self.assert_each_trial_finished_once(6, 20)
        self.assertEqual(self.rows("SELECT DISTINCT rank FROM attempts ORDER BY 1"), [(0,), (1,)])

    def study(self):
        return self.fake_study(xs=range(6), epochs=20, epoch_ms=10, checkpoints=True)

    @unittest.skipUnless((OPENMPI / "bin/mpirun").exists(), f"no Open MPI 5 in {OPENMPI}")
    def test_open_mpi_5(self):
        self.launch(OPENMPI / "bin/mpirun", "--oversubscribe", "-n", 2, study=self.study())
        self.assert_two_ranks_worked()

    @unittest.skipUnless((OPENMPI / "bin/mpirun").exists(), f"no Open MPI 5 in {OPENMPI}")
    def test_open_mpi_5_survives_the_death_of_a_rank(self):
        study = self.fake_study(xs=range(6), epochs=60, epoch_ms=10, checkpoints=True)
        process = self.start(
            "--enable-recovery", "--oversubscribe", "-n", 2, WINDROW, "run", study,
            "--db", self.db, "--slots", 1, "--lost-after", 1,
            wrapper=[OPENMPI / "bin/mpirun"], env=ROOT,
        )
        wait_until("epochs of both ranks", lambda: self.count(
            "SELECT count(DISTINCT rank) FROM attempts WHERE outcome = 'finished'") == 2)
        ranks = descendants(process.pid, "windrow")
        os.kill(max(ranks), signal.SIGKILL)
        self.finish(process, expect=None)
        self.assert_each_trial_finished_once(6, 60)

    @unittest.skipUnless((MPICH / "bin/mpiexec").exists(), f"no MPICH in {MPICH}")
    def test_mpich(self):
        self.launch(MPICH / "bin/mpiexec", "-n", 2, study=self.study())
        self.assert_two_ranks_worked()

    @unittest.skipUnless((MPICH / "bin/mpiexec").exists(), f"no MPICH in {MPICH}")
    def test_the_abi_of_mpi_5(self):
        self.launch(MPICH / "bin/mpiexec", "-n", 2, study=self.study(), env={"WINDROW_MPI": "abi"})
        self.assert_two_ranks_worked()

    @unittest.skipUnless((MPICH / "bin/mpiexec").exists(), f"no MPICH in {MPICH}")
    def test_a_library_that_does_not_belong_to_the_launcher_is_refused(self):
        self.launch(MPICH / "bin/mpiexec", "-n", 2, study=self.study(),
                    env={"WINDROW_MPI": "ompi"}, expect=None)
        self.assertIn("the launcher started 2 ranks, but ompi counts one", self.err)
        self.assertFalse(self.db.exists())

    @unittest.skipUnless((MPICH / "bin/mpiexec").exists(), f"no MPICH in {MPICH}")
    def test_under_mpich_a_dead_rank_ends_the_job_and_the_next_run_finishes(self):
        study = self.fake_study(xs=range(6), epochs=60, epoch_ms=10, checkpoints=True)
        process = self.start(
            "-n", 2, WINDROW, "run", study, "--db", self.db, "--slots", 1,
            wrapper=[MPICH / "bin/mpiexec"],
        )
        wait_until("epochs", lambda: self.count("SELECT count(*) FROM epochs") > 10)
        os.kill(max(descendants(process.pid, "windrow")), signal.SIGKILL)
        self.finish(process, expect=None)
        self.run_study(study)
        self.assert_each_trial_finished_once(6, 60)


if __name__ == "__main__":
    unittest.main()
