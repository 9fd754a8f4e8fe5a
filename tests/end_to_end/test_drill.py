"""windrow drill: faults done to real runs, and what it says of them."""

import json
import os
import signal
import unittest

from support import WindrowTest, wait_until

# A second of each is what waits for processes that might be left.
HERE = "trainer-killed,child-left,checkpoints-lost,guard-killed,coordinator-killed,run-stopped"
RANKS = "rank-killed,rank-paused,rank-lost,database-locked"


class Drill(WindrowTest):
    def drill(self, *arguments, **options):
        out = self.windrow("drill", "--dir", self.folder, "--json", *arguments, **options)
        return {each["fault"]: each for each in json.loads(out)}

    def folders(self):
        return sorted(path.name for path in self.folder.iterdir())

    def test_one_process_outlives_all_that_is_done_to_it(self):
        told = self.drill("--only", HERE, "--lost-after", 1)
        self.assertEqual({each["verdict"] for each in told.values()}, {"held"}, self.out)
        self.assertEqual(list(told), HERE.split(","))
        for fault in told.values():
            self.assertIsNotNone(fault["noticed_seconds"], fault)
            self.assertIsNotNone(fault["recovered_seconds"], fault)
        self.assertEqual(told["trainer-killed"]["starts"], 1)
        self.assertEqual(told["coordinator-killed"]["starts"], 2)
        self.assertGreaterEqual(told["checkpoints-lost"]["lost_epochs"], 4)
        self.assertEqual(self.folders(), [])

    def test_ranks_that_die_and_stop_are_tried_where_there_are_some(self):
        launcher = "mpirun --oversubscribe -n 3 --enable-recovery"
        told = self.drill("--launch", launcher, "--only", RANKS, "--trials", 4, "--lost-after", 2,
                          env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.assertEqual({each["verdict"] for each in told.values()}, {"held"}, self.out)
        self.assertIsNone(told["rank-paused"]["noticed_seconds"])
        self.assertGreater(told["rank-lost"]["noticed_seconds"], 0)
        # Nothing is recorded as long as the lock is held, and nothing of it is lost.
        self.assertGreaterEqual(told["database-locked"]["recovered_seconds"], 2)
        self.assertEqual(told["database-locked"]["lost_epochs"], 0)
        self.assertEqual(self.drill("--only", "rank-killed")["rank-killed"]["verdict"], "not tried")

    def test_what_can_not_be_started_is_told_at_once(self):
        self.windrow("drill", "--dir", self.folder, "--launch", "no-such-launcher", expect=2)
        self.assertIn("no-such-launcher", self.err)
        self.windrow("drill", "--only", "meteorite", expect=2)
        self.assertIn("rank-killed", self.err)  # among those that there are
        self.assertEqual(self.folders(), [])

    def test_an_interrupted_drill_leaves_nothing(self):
        drill = self.start("drill", "--dir", self.folder, "--only", "trainer-silent")
        wait_until("a trainer", lambda: list(self.folder.glob(".windrow-drill-*/*/beat/*")))
        os.kill(drill.pid, signal.SIGTERM)
        self.finish(drill, expect=3)
        self.assertEqual(self.folders(), [])


if __name__ == "__main__":
    unittest.main()
