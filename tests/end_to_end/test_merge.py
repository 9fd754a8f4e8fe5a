"""windrow merge: databases of one study, made apart."""

import contextlib
import sqlite3
import unittest

from support import WindrowTest, wait_until


class Merge(WindrowTest):
    def run_apart(self, name, xs, **parameters):
        """The study with these cells, in a database of its own."""
        database = self.folder / f"{name}.db"
        self.windrow("run", self.fake_study(xs=xs, **parameters), "--db", database)
        return database

    def merge(self, *others, expect=0):
        return self.windrow("merge", "--db", self.db, *others, expect=expect)

    def test_two_halves_make_one_and_are_not_run_again(self):
        halves = [self.run_apart("a", (1, 2)), self.run_apart("b", (2, 3, 4))]
        out = self.merge(*halves)
        self.assertIn("a.db: 2 trials taken\n", out)
        self.assertIn("b.db: 2 trials taken, 1 the same in both\n", out)
        self.run_study(self.fake_study(xs=(1, 2, 3, 4)))
        self.assert_each_trial_finished_once(4, 3)
        self.assertEqual(self.count("SELECT max(attempts) FROM trials"), 1)

    def test_what_differs_is_told(self):
        self.merge(self.run_apart("a", (1,)))
        other = self.run_apart("b", (1,))
        with contextlib.closing(sqlite3.connect(other)) as database, database:
            database.execute("UPDATE epoch SET state_hash = 'another'")
        self.merge(other, expect=1)
        self.assertIn("fake: trial 1 here and 1 in", self.err)
        self.assertIn("differ in the state after the last epoch", self.err)

    def test_while_a_run_writes_the_other(self):
        other = self.folder / "a.db"
        gate = self.folder / "gate"
        study = self.fake_study(xs=(1, 2, 9), wait_file=str(gate), wait_x=9)
        process = self.start("run", study, "--db", other, "--slots", 1)
        wait_until("the first one's end", lambda: other.exists() and " finished" in self.windrow(
            "status", "--db", other, expect=None) and self.out.startswith("fake: 2 of 3"))
        self.assertIn("2 trials taken, 1 not over there and left", self.merge(other))
        gate.touch()
        self.finish(process)
        self.assertIn("1 trial taken, 2 the same in both", self.merge(other))


if __name__ == "__main__":
    unittest.main()
