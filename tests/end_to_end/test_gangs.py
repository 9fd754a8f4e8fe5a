"""Several slots train one trial: the same bits as one, also when a member is killed."""

import os
import random
import signal
import unittest

from support import WindrowTest, descendants, wait_until

TRAINER = os.environ.get("WINDROW_TRAINER", "")
EPOCHS = 16

STUDY = f"""
study: gang
task: choice-sets
parameters: {{depth: 3, width: 40, epochs: {EPOCHS}, train_sets: 30000, test_sets: 1000, shards: 2}}
"""
HASHES = "SELECT epoch, state_hash FROM epochs ORDER BY epoch"


@unittest.skipUnless(TRAINER, "windrow-trainer is not built")
class Gangs(WindrowTest):
    def setUp(self):
        super().setUp()
        self.study = self.write("gang.yaml", STUDY)
        self.windrow("run", self.study, "--db", self.path("alone.db"), "--slots", "1")
        self.alone = self.rows(HASHES, self.path("alone.db"))
        self.assertEqual(len(self.alone), EPOCHS)

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_two_slots_give_the_bits_of_one(self):
        for gang in ("2", "auto"):
            db = self.path(f"gang-{gang}.db")
            run = self.start("run", self.study, "--db", db, "--slots", "2", "--gang", gang)
            # Both slots have a trainer, though there is one trial.
            wait_until("two trainers", lambda: len(descendants(run.pid, "windrow-trainer")) == 2)
            self.finish(run)
            self.assertEqual(self.rows(HASHES, db), self.alone)

    def test_two_ranks_give_the_bits_of_one(self):
        db = self.path("ranks.db")
        self.windrow("run", self.study, "--db", db, "--slots", "1", "--gang", "2", ranks=2)
        self.assertEqual(self.rows(HASHES, db), self.alone)

    def test_a_killed_member_costs_no_bit(self):
        chance = random.Random(5)
        killed = 0
        for number in range(4):
            db = self.path(f"killed-{number}.db")
            run = self.start("run", self.study, "--db", db, "--slots", "2", "--gang", "2")
            epoch = chance.randrange(2, EPOCHS - 8)

            self.db = db
            wait_until(
                f"epoch {epoch}", lambda: self.count("SELECT count(*) FROM epochs") >= epoch
            )
            trainers = descendants(run.pid, "windrow-trainer")
            if len(trainers) == 2:
                os.kill(chance.choice(trainers), signal.SIGKILL)
                killed += 1
            self.finish(run)
            self.assertEqual(self.rows(HASHES, db), self.alone)
            kinds = {kind for kind, in self.rows("SELECT kind FROM failures", db)}
            self.assertLessEqual(kinds, {"gang", "crash"})
        self.assertGreaterEqual(killed, 3, "kills that hit nobody prove nothing")


if __name__ == "__main__":
    unittest.main()
