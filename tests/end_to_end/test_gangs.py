"""Several slots train one trial: the same bits as one, also when a member is killed."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import unittest

from support import SOURCE, WindrowTest, descendants, wait_until

TRAINER = os.environ.get("WINDROW_TRAINER", "")
EPOCHS = 16
ROUNDS = int(os.environ.get("WINDROW_KILL_ROUNDS", 4))

STUDY = f"""
study: gang
task: choice-sets
parameters: {{depth: 3, width: 40, epochs: {EPOCHS}, train_sets: 30000, test_sets: 1000, shards: 2}}
"""
LONG = STUDY.replace(f"epochs: {EPOCHS}", "epochs: 100000")
HASHES = "SELECT epoch, state_hash FROM epochs ORDER BY epoch"


@unittest.skipUnless(TRAINER, "windrow-trainer is not built")
class Gangs(WindrowTest):
    def setUp(self):
        super().setUp()
        self.study = self.write("gang.yaml", STUDY)

    def train_alone(self):
        self.windrow("run", self.study, "--db", self.path("alone.db"), "--slots", "1")
        alone = self.rows(HASHES, self.path("alone.db"))
        self.assertEqual(len(alone), EPOCHS)
        return alone

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_two_slots_give_the_bits_of_one(self):
        alone = self.train_alone()
        for gang in ("2", "auto"):
            db = self.path(f"gang-{gang}.db")
            run = self.start("run", self.study, "--db", db, "--slots", "2", "--gang", gang)
            # Both slots have a trainer, though there is one trial.
            wait_until("two trainers", lambda: len(descendants(run.pid, "windrow-trainer")) == 2)
            self.finish(run)
            self.assertEqual(self.rows(HASHES, db), alone)

    def test_two_ranks_give_the_bits_of_one(self):
        alone = self.train_alone()
        db = self.path("ranks.db")
        self.windrow("run", self.study, "--db", db, "--slots", "1", "--gang", "2", ranks=2)
        self.assertEqual(self.rows(HASHES, db), alone)

    def run_until(self, what, condition, study, *options):
        """A trial that would never end is stopped once the condition is true of what is recorded."""
        run = self.start("run", study, "--db", self.db, *options)
        wait_until(what, lambda: run.poll() is not None or self.count(f"SELECT {condition} FROM epochs"))
        run.send_signal(signal.SIGTERM)
        return self.finish(run, expect=3)

    def test_what_a_gang_is_worth_is_known_to_the_next_plan(self):
        # A helper begins with loading LibTorch, while the lead goes on alone.
        self.run_until("epochs of two", "sum(members = 2) > 2", self.write("long.yaml", LONG),
                       "--slots", "2", "--gang", "2")
        self.assertEqual({members for members, in self.rows("SELECT DISTINCT members FROM epochs")}, {1, 2})
        more = self.write("more.yaml", LONG + "seeds: 2\n")
        plan = ("plan", more, "--db", self.db, "--slots", "1,2", "--json")
        self.windrow(*plan, "--gang", "2")
        one, two = json.loads(self.out)["predictions"]
        self.assertEqual((one["gangs"], two["gangs"], two["widest_gang"]), (0, 2, 2))
        self.assertGreaterEqual(two["makespan_seconds"], two["lower_bound_seconds"])
        self.windrow(*plan, "--gang", "off")
        self.assertEqual(json.loads(self.out)["predictions"][1]["gangs"], 0)

    def test_an_idle_slot_lends_its_threads_to_the_same_bits(self):
        study = self.write("threads.yaml", LONG.replace("shards: 2", "shards: 1"))
        # The first epoch measures it alone; whether two are worth it is this machine's to say.
        self.run_until("an epoch of two", "sum(members = 2) > 0", study, "--slots", "2", "--json")
        end = json.loads(self.out)
        with_two = self.rows(HASHES)
        self.db = self.path("alone-as-long.db")
        self.run_until("as many alone", f"count(*) >= {len(with_two)}", study, "--slots", "1")
        self.assertEqual(self.rows("SELECT DISTINCT members FROM epochs"), [(1,)])
        self.assertEqual(self.rows(HASHES)[:len(with_two)], with_two)
        self.db = self.path("w.db")
        # Every second of both slots, and none that isn't there.
        self.assertGreater(end["slot_seconds"]["training"], 0)
        self.assertLessEqual(sum(end["slot_seconds"].values()), 2 * end["wall_seconds"] + 0.5)
        self.assertEqual(self.rows("SELECT DISTINCT device_kind, precision FROM attempts"),
                         [("cpu", "float32")])

    def test_a_killed_member_costs_no_bit(self):
        study = self.write("killed.yaml", STUDY.replace(f"epochs: {EPOCHS}", "epochs: 60"))
        self.windrow("run", study, "--db", self.db, "--slots", "1")
        alone = self.rows(HASHES)
        chance = random.Random(5)
        killed = 0
        for number in range(ROUNDS):
            self.db = self.path(f"killed-{number}.db")
            run = self.start("run", study, "--db", self.db, "--slots", "2", "--gang", "2")
            epochs = chance.randrange(1, 5)
            together = "SELECT count(*) FROM epochs WHERE members = 2"
            wait_until("epochs of two", lambda: run.poll() is not None or self.count(together) >= epochs)
            trainers = descendants(run.pid, "windrow-trainer")
            if len(trainers) == 2:
                os.kill(chance.choice(trainers), signal.SIGKILL)
                killed += 1
            self.finish(run)
            self.assertEqual(self.rows(HASHES), alone)
            kinds = {kind for kind, in self.rows("SELECT kind FROM failures")}
            self.assertLessEqual(kinds, {"gang", "crash"})
        self.assertGreaterEqual(killed, ROUNDS * 3 // 4, "kills that hit nobody prove nothing")


# Members meet at MASTER_PORT, as those of torch.distributed do; in the trial's first attempt the last
# one dies instead.
MEMBER = """
import json, os, socket, sys
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
assert os.environ["LOCAL_RANK"] == str(rank) and os.environ["LOCAL_WORLD_SIZE"] == str(size)
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == size - 1 and os.environ["WINDROW_ATTEMPT"] == "1" and "--dies=1" in sys.argv:
    sys.exit(7)
if rank > 0:
    while True:
        try:
            socket.create_connection(place).sendall(bytes([rank]))
            break
        except OSError:
            pass
    print(json.dumps({"epoch": 1, "sum": -1}))
    sys.exit(0)
server = socket.create_server(place)
total = sum(server.accept()[0].recv(1)[0] for _ in range(size - 1))
print(json.dumps({"epoch": 1, "sum": total}), flush=True)
"""


class GangsOfPrograms(WindrowTest):
    def study(self, dies):
        self.write("member.py", MEMBER)
        return self.write(
            "study.yaml",
            "study: members\ntrainer: {command: [python3, member.py], gang: 3}\n"
            f"parameters: {{dies: {dies}}}\ngrid: {{x: [1, 2]}}\n",
        )

    def test_each_member_has_its_place_and_the_first_speaks(self):
        self.run_study(self.study(dies=0), "--slots", "6")
        self.assertEqual(self.rows("SELECT state, sum FROM trials"), [("finished", 3.0)] * 2)
        # Two teams of three.
        self.assertEqual(self.rows("SELECT count(*) FROM slot"), [(2,)])

    def test_one_death_ends_all_and_the_trial_is_tried_again(self):
        self.run_study(self.study(dies=1), "--slots", "3")
        self.assertEqual(self.rows("SELECT state, sum FROM trials"), [("finished", 3.0)] * 2)
        self.assertEqual(
            self.rows("SELECT kind, exit_code, count(*) FROM failures GROUP BY 1, 2"),
            [("crash", 7, 2)],
        )

    def test_too_few_slots_are_told_before_anything_starts(self):
        self.run_study(self.study(dies=0), "--slots", "2", expect=2)
        self.assertIn("a trial takes 3", self.err)

    def test_the_example_with_torch(self):
        for name in ("ddp.py", "ddp.yaml"):
            shutil.copy(os.path.join(SOURCE, "examples", name), self.folder)
        env = {**os.environ, "PYTHONPATH": os.environ.get("TORCH_PYTHON", "")}
        imports = [sys.executable, "-c", "import torch"]
        if subprocess.run(imports, env=env, capture_output=True).returncode != 0:
            self.skipTest("no Python with torch: scripts/setup --cuda fetches one that has it")
        self.run_study(os.path.join(self.folder, "ddp.yaml"), "--slots", "2", env=env)
        losses = self.rows("SELECT loss FROM trials ORDER BY lr")
        self.assertEqual(len(losses), 3)
        self.assertLess(losses[2][0], 1e-3)


if __name__ == "__main__":
    unittest.main()
