"""Under a real mpirun: 1, 2 and 4 ranks."""

import os
import pathlib
import signal
import unittest

from support import WINDROW, WindrowTest, descendants, is_gone, wait_until


class Mpi(WindrowTest):
    def test_every_number_of_ranks_gives_the_same_rows(self):
        study = self.fake_study(xs=range(1, 13), epochs=4)
        results = []
        for ranks in (1, 2, 4):
            with self.subTest(ranks=ranks):
                self.db = self.folder / f"{ranks}.db"
                self.run_study(study, "--slots", 1, ranks=ranks)
                self.assert_each_trial_finished_once(12, 4)
                results.append(
                    self.rows("SELECT trial, epoch, loss FROM epochs ORDER BY trial, epoch")
                )
                self.assertEqual(results[-1], results[0])

    def test_all_ranks_work_and_only_rank_0_touches_the_database(self):
        study = self.fake_study(xs=range(16), epochs=3, epoch_ms=20)
        wrapper = self.write(
            "rank.sh",
            "#!/bin/sh\n"
            "# The other ranks stand in a folder of their own: a database there would be theirs.\n"
            'if [ "$OMPI_COMM_WORLD_RANK" != 0 ]; then mkdir -p other; cd other || exit 9; fi\n'
            f'exec {WINDROW} "$@"\n',
        )
        wrapper.chmod(0o755)
        self.finish(
            self.start("run", study, "--db", "w.db", "--slots", 1, ranks=4, wrapper=[str(wrapper)])
        )
        self.assert_each_trial_finished_once(16, 3)
        self.assertEqual(
            self.rows("SELECT DISTINCT rank FROM attempts ORDER BY rank"), [(0,), (1,), (2,), (3,)]
        )
        self.assertFalse((self.folder / "other" / "w.db").exists())

    def test_ranks_with_another_study_are_refused_before_anything_starts(self):
        study = self.fake_study()
        wrapper = self.write(
            "rank.sh",
            "#!/bin/sh\n"
            f'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then exec {WINDROW} "$@" --set epochs=7; fi\n'
            f'exec {WINDROW} "$@"\n',
        )
        wrapper.chmod(0o755)
        self.finish(
            self.start("run", study, "--db", self.db, ranks=3, wrapper=[str(wrapper)]), expect=None
        )
        self.assertNotEqual(self.start_code(), 0)
        self.assertIn("rank 1", self.err)
        self.assertIn("reads another study", self.err)
        self.assertEqual(self.rows("SELECT count(*) FROM attempts"), [(0,)])

    def start_code(self):
        return self.started[-1].returncode

    def test_a_bad_study_ends_all_ranks(self):
        study = self.write("bad.yaml", "study: bad\ngrid: {}\n")
        self.finish(self.start("run", study, "--db", self.db, ranks=4), expect=None)
        self.assertEqual(self.start_code(), 2)
        self.assertIn("bad.yaml", self.err)

    def test_the_trials_of_a_killed_agent_go_to_the_others(self):
        study = self.fake_study(xs=range(8), epochs=20, epoch_ms=20, checkpoints=True)
        process = self.start(
            "run", study, "--db", self.db, "--slots", 1, "--lost-after", 2,
            ranks=3, wrapper=["--enable-recovery", WINDROW],
        )
        victim = wait_until("a running attempt of rank 2", lambda: self.rank_pid(process, 2))
        wait_until(
            "its first epoch",
            lambda: self.count(
                "SELECT count(*) FROM epochs e JOIN attempts a USING (trial, attempt) WHERE rank = 2"
            ),
        )
        trainers = descendants(victim, "fake_trainer")
        os.kill(victim, signal.SIGKILL)
        self.finish(process, expect=None)
        for pid in trainers:
            self.assertTrue(is_gone(pid), "an orphaned trainer")
        self.assert_each_trial_finished_once(8, 20)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("node",)])
        self.assertEqual(
            self.rows("SELECT count(*) FROM attempts WHERE resumed_from_epoch > 0"), [(1,)]
        )

    def test_a_signal_to_one_rank_stops_all_and_drains_no_slot(self):
        study = self.fake_study(xs=range(8), epochs=1000, epoch_ms=20, checkpoints=True)
        process = self.start("run", study, "--db", self.db, "--slots", 1, ranks=2)
        signalled = wait_until("a running attempt of rank 1", lambda: self.rank_pid(process, 1))
        wait_until(
            "its first epoch",
            lambda: self.count(
                "SELECT count(*) FROM epochs e JOIN attempts a USING (trial, attempt) WHERE rank = 1"
            ),
        )
        os.kill(signalled, signal.SIGUSR1)
        self.finish(process, expect=None)
        self.assertEqual(self.rows("SELECT kind FROM failures"), [("preempted",)] * 2)
        self.assertEqual(self.rows("SELECT text FROM event WHERE kind = 'slot drained'"), [])

    def rank_pid(self, mpirun, rank):
        for pid in descendants(mpirun.pid, "windrow"):
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if f"OMPI_COMM_WORLD_RANK={rank}".encode() in environment:
                return pid
        return None


if __name__ == "__main__":
    unittest.main()
