"""Three hosts on one switch: one is cut off, for shorter and for longer than --lost-after."""

import os
import pathlib
import shutil
import tempfile
import time
import unittest

from hosts import NAMES, Hosts, why_not
from support import WINDROW, WindrowTest, command_name, wait_until

FIRST, SECOND, LAST = NAMES
EPOCHS = 200


@unittest.skipIf(why_not(), why_not())
class SeveralHosts(WindrowTest):
    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="windrow-hosts-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        cls.hosts = Hosts(cls.shared)
        cls.addClassCleanup(cls.hosts.down)
        cls.hosts.up()

    def tearDown(self):
        self.hosts.heal(LAST)
        super().tearDown()

    def study(self, trials=6):
        return self.fake_study(xs=range(trials), epochs=EPOCHS, epoch_ms=20, checkpoints=True)

    def start_on(self, host, *arguments):
        return self.start(*arguments, wrapper=self.hosts.on(host, WINDROW))

    def start_ranks(self, lost_after, trials=6):
        return self.start("run", self.study(trials), "--db", self.db, "--slots", 1, "--lost-after", lost_after,
                          wrapper=self.hosts.mpirun(3, "--enable-recovery", WINDROW))

    def wait_for_epochs_of(self, host, more=5):
        sql = f"SELECT count(*) FROM epochs JOIN attempts USING (trial, attempt) WHERE attempts.host = '{host}'"
        goal = self.count(sql) + more
        wait_until(f"epochs on {host}", lambda: self.count(sql) >= goal)

    def kinds(self):
        return {kind for kind, in self.rows("SELECT DISTINCT kind FROM failures")}

    def lost(self):
        return self.count("SELECT count(*) FROM event WHERE kind = 'agent lost'")

    def trainers(self):
        """How many run, on all hosts: they share their processes."""
        found = 0
        for entry in pathlib.Path("/proc").iterdir():
            try:
                found += (entry.name.isdigit() and command_name(entry.name) == "fake_trainer"
                          and os.readlink(entry / "cwd") == str(self.folder))
            except OSError:
                pass  # it has ended
        return found

    def test_ranks_work_on_all_hosts_by_their_names(self):
        self.finish(self.start_ranks(30))
        self.assert_each_trial_finished_once(6, EPOCHS)
        self.assertEqual({host for host, in self.rows("SELECT DISTINCT host FROM attempts")}, set(NAMES))

    def test_a_rank_that_is_cut_off_for_a_while_is_kept(self):
        run = self.start_ranks(20)
        self.wait_for_epochs_of(LAST)
        self.hosts.cut_off(LAST)
        time.sleep(2)
        self.hosts.heal(LAST)
        self.wait_for_epochs_of(LAST)
        self.finish(run)
        self.assert_each_trial_finished_once(6, EPOCHS)
        self.assertEqual((self.kinds(), self.lost()), (set(), 0))

    def test_the_trials_of_a_rank_that_is_cut_off_for_long_go_to_others(self):
        run = self.start_ranks(2, trials=9)
        self.wait_for_epochs_of(LAST)
        self.hosts.cut_off(LAST)
        wait_until("its loss", self.lost)
        # It can't know what became of the others: it ends its trainer, whose trial another one has.
        wait_until("the end of its trainer", lambda: self.trainers() <= 2)
        self.assertIsNone(run.poll())
        self.hosts.heal(LAST)
        self.finish(run, expect=None)  # mpirun has codes of its own where a rank was lost
        self.assert_each_trial_finished_once(9, EPOCHS)
        self.assertEqual((self.kinds(), self.lost()), ({"node"}, 1))
        self.assertEqual({host for host, in self.rows("SELECT DISTINCT host FROM failures")}, {LAST})

    def test_a_worker_that_is_cut_off_for_long_joins_anew(self):
        run = self.start_on(FIRST, "run", self.study(), "--db", self.db, "--serve", "--slots", 0, "--lost-after", 2)
        wait_until("the door", (self.folder / "w.db.door").exists)
        workers = [self.start_on(host, "work", "--join", self.db, "--slots", 1, "--wait", 60)
                   for host in (SECOND, LAST)]
        self.wait_for_epochs_of(LAST)
        self.hosts.cut_off(LAST)
        wait_until("its loss", self.lost)
        self.hosts.heal(LAST)
        self.wait_for_epochs_of(LAST)
        for process in (run, *workers):
            self.finish(process)
        self.assert_each_trial_finished_once(6, EPOCHS)
        self.assertEqual((self.kinds(), self.lost()), ({"node"}, 1))

    def test_a_worker_that_is_cut_off_for_a_while_is_kept(self):
        run = self.start_on(FIRST, "run", self.study(), "--db", self.db, "--serve", "--slots", 0, "--lost-after", 20)
        wait_until("the door", (self.folder / "w.db.door").exists)
        worker = self.start_on(LAST, "work", "--join", self.db, "--slots", 2, "--wait", 60)
        self.wait_for_epochs_of(LAST)
        self.hosts.cut_off(LAST)
        time.sleep(2)
        self.hosts.heal(LAST)
        self.finish(run)
        self.finish(worker)
        self.assert_each_trial_finished_once(6, EPOCHS)
        self.assertEqual((self.kinds(), self.lost()), (set(), 0))


if __name__ == "__main__":
    unittest.main()
