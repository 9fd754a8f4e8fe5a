"""windrow merge: databases of one study, made apart."""

import contextlib
import json
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


class Compare(WindrowTest):
    def run_apart(self, name, xs, **parameters):
        database = self.folder / f"{name}.db"
        study = self.fake_study(xs=xs, **parameters)
        study.write_text(study.read_text() + "seeds: 3\nreport: {compare: {metric: loss}}\n")
        self.windrow("run", study, "--db", database)
        return database

    def test_the_same_twice_is_the_same_to_the_bit(self):
        out = self.windrow("compare", self.run_apart("a", (1, 2)), self.run_apart("b", (1, 2, 3)))
        rows = [line.split() for line in out.splitlines()[2:5]]
        self.assertEqual([row[-1] for row in rows], ["3", "3", "0"])
        self.assertIn("1 cell is only in " + str(self.folder / "b.db"), out)

    def test_what_differs_has_its_interval(self):
        before = self.run_apart("a", (1, 2))
        after = self.run_apart("b", (1, 2))
        with contextlib.closing(sqlite3.connect(after)) as database, database:
            database.execute("UPDATE trial_metric SET value = value + 1 + trial / 100.0 WHERE metric "
                             "= (SELECT id FROM metric WHERE name = 'loss') AND trial <= 3")
        rows = json.loads(self.windrow("compare", before, after, "--json"))
        self.assertAlmostEqual(rows[0]["difference"], 1.02)
        self.assertLess(rows[0]["p_holm"], 0.05)
        self.assertEqual((rows[1]["difference"], rows[1]["same"]), (0, 3))

    def test_a_metric_that_neither_has_is_refused(self):
        database = self.run_apart("a", (1,))
        self.windrow("compare", database, database, "--metric", "los", expect=2)
        self.assertIn('did you mean "loss"?', self.err)


if __name__ == "__main__":
    unittest.main()
