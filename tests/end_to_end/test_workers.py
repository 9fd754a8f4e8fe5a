"""Workers that join a run and leave it: windrow run --serve, windrow work --join."""

import os
import random
import signal
import stat
import time
import unittest

from support import WindrowTest, descendants, is_gone, wait_until


class Workers(WindrowTest):
    def serve(self, study, *arguments, **options):
        # A killed run's door is left; its successor's is another.
        door = self.folder / "w.db.door"
        door.unlink(missing_ok=True)
        process = self.start("run", study, "--db", self.db, "--serve", "--slots", 0,
                             "--lost-after", 3, *arguments, **options)
        wait_until("the door", door.exists)
        return process

    def work(self, *arguments, slots=2):
        """One that came too late, to a run that is over, waits for another one for a minute."""
        return self.start("work", "--join", self.db, "--slots", slots, "--wait", 60, *arguments)

    def epochs(self):
        return self.count("SELECT count(*) FROM epochs") if self.db.exists() else 0

    def wait_for_epochs(self, more=10):
        goal = self.epochs() + more
        wait_until(f"{goal} epochs", lambda: self.epochs() >= goal)

    def kinds(self):
        return {row[0] for row in self.rows("SELECT DISTINCT kind FROM failures")}

    def test_two_workers_do_a_study_and_all_end_with_it(self):
        study = self.fake_study(xs=range(8), epochs=5, epoch_ms=10, checkpoints=True)
        run = self.serve(study)
        door = self.folder / "w.db.door"
        self.assertEqual(stat.S_IMODE(door.stat().st_mode), 0o600)
        workers = [self.work(), self.work()]
        self.finish(run)
        for worker in workers:
            self.finish(worker)
        self.assert_each_trial_finished_once(8, 5)
        self.assertEqual(self.kinds(), set())
        self.assertFalse(door.exists())
        self.assertEqual(self.rows("SELECT DISTINCT rank FROM attempts ORDER BY 1"), [(1,), (2,)])

    def test_a_run_with_slots_of_its_own_may_serve_too(self):
        study = self.fake_study(xs=range(8), epochs=20, epoch_ms=20)
        run = self.start("run", study, "--db", self.db, "--slots", 1, "--serve")
        wait_until("the door", (self.folder / "w.db.door").exists)
        worker = self.work()
        self.finish(run)
        self.finish(worker)
        self.assert_each_trial_finished_once(8, 20)
        self.assertEqual(self.rows("SELECT DISTINCT rank FROM attempts ORDER BY 1"), [(0,), (1,)])

    def test_a_worker_that_leaves_costs_nothing(self):
        study = self.fake_study(xs=range(4), epochs=200, epoch_ms=20, checkpoints=True)
        run = self.serve(study)
        first, second = self.work(), self.work()
        self.wait_for_epochs()
        first.send_signal(signal.SIGTERM)
        self.finish(first)
        self.wait_for_epochs()
        self.assertIsNone(second.poll())
        third = self.work()
        self.finish(run)
        self.finish(second)
        self.finish(third)
        self.assert_each_trial_finished_once(4, 200)
        self.assertEqual(self.kinds(), {"preempted"})
        self.assertEqual(self.count("SELECT count(*) FROM event WHERE kind = 'agent left'"), 1)
        self.assertEqual(
            self.count("SELECT count(*) FROM event WHERE kind IN ('agent lost', 'slot drained')"), 0)

    def test_a_worker_leaves_before_its_time_is_up(self):
        study = self.fake_study(xs=range(2), epochs=120, epoch_ms=50, checkpoints=True)
        run = self.serve(study)
        self.finish(self.work("--until", "+3s"))
        self.assertGreater(self.epochs(), 10)
        self.assertEqual(self.kinds(), {"preempted"})
        self.finish(self.work())
        self.finish(run)
        self.assert_each_trial_finished_once(2, 120)

    def test_a_killed_worker_is_noticed_and_its_trials_go_to_others(self):
        study = self.fake_study(xs=range(4), epochs=200, epoch_ms=20, checkpoints=True)
        run = self.serve(study)
        first, second = self.work(), self.work()
        self.wait_for_epochs()
        trainers = descendants(first.pid, "fake_trainer")
        self.assertEqual(len(trainers), 2)
        first.kill()
        wait_until("its trainers' end", lambda: all(map(is_gone, trainers)))
        self.finish(run)
        self.finish(second)
        self.assert_each_trial_finished_once(4, 200)
        self.assertEqual(self.kinds(), {"node"})

    def test_a_host_whose_processes_are_killed_one_after_the_other_blames_no_trial(self):
        for first_to_die in ("fake_trainer", "windrow-guard"):
            with self.subTest(first_to_die):
                self.db.unlink(missing_ok=True)
                study = self.fake_study(xs=range(4), epochs=200, epoch_ms=20, checkpoints=True)
                run = self.serve(study)
                first, second = self.work(), self.work()
                self.wait_for_epochs()
                for pid in descendants(first.pid, first_to_die):
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.2)  # as on a busy node
                first.kill()
                self.finish(run)
                self.finish(second)
                self.assert_each_trial_finished_once(4, 200)
                self.assertEqual(self.kinds(), {"node"})

    def test_a_run_that_was_killed_is_joined_again_when_it_is_back(self):
        study = self.fake_study(xs=range(4), epochs=200, epoch_ms=20, checkpoints=True)
        run = self.serve(study)
        worker = self.work()
        self.wait_for_epochs()
        run.kill()
        run.communicate()
        wait_until("its trainers' end", lambda: not descendants(worker.pid, "fake_trainer"))
        run = self.serve(study)
        self.finish(run)
        self.finish(worker)
        self.assert_each_trial_finished_once(4, 200)

    def test_a_paused_worker_is_taken_for_lost_and_joins_anew(self):
        study = self.fake_study(xs=range(4), epochs=500, epoch_ms=20, checkpoints=True)
        run = self.serve(study)
        first, second = self.work(), self.work()
        self.wait_for_epochs()
        first.send_signal(signal.SIGSTOP)
        wait_until("its loss", lambda: self.count(
            "SELECT count(*) FROM event WHERE kind = 'agent lost'"))
        first.send_signal(signal.SIGCONT)
        wait_until("its return", lambda: self.count("SELECT count(DISTINCT rank) FROM attempts") == 3)
        self.finish(run)
        self.finish(first)
        self.finish(second)
        self.assert_each_trial_finished_once(4, 500)
        self.assertLessEqual(self.kinds(), {"node"})

    def test_workers_that_are_killed_all_the_time_finish_it_in_the_end(self):
        draw = random.Random(20)
        study = self.fake_study(xs=range(20), epochs=60, epoch_ms=20, checkpoints=True)
        run = self.serve(study)
        workers, killed = [], 0
        while run.poll() is None:
            workers = [worker for worker in workers if worker.poll() is None]
            while len(workers) < 4:
                workers.append(self.work())
            time.sleep(draw.uniform(0.2, 1.0))
            if killed < 20:
                draw.choice(workers).send_signal(
                    draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
                killed += 1
        self.finish(run)
        for worker in workers:  # of which some came too late
            worker.send_signal(signal.SIGTERM)
            self.finish(worker, expect=None)
        self.assert_each_trial_finished_once(20, 60)
        self.assertLessEqual(self.kinds(), {"node", "preempted"})
        self.assertGreater(killed, 5)

    def test_under_mpirun_too(self):
        study = self.fake_study(xs=range(8), epochs=30, epoch_ms=20)
        run = self.start("run", study, "--db", self.db, "--slots", 1, "--serve", ranks=2)
        wait_until("the door", (self.folder / "w.db.door").exists)
        worker = self.work()
        self.finish(run)
        self.finish(worker)
        self.assert_each_trial_finished_once(8, 30)
        self.assertEqual(self.rows("SELECT DISTINCT rank FROM attempts ORDER BY 1"),
                         [(0,), (1,), (2,)])

    def test_without_a_run_it_says_so(self):
        self.finish(self.start("work", "--join", self.db, "--wait", 0), expect=3)
        self.assertIn("--serve", self.err)

    def test_a_stop_sends_the_workers_home(self):
        study = self.fake_study(xs=range(4), epochs=1000, epoch_ms=20, checkpoints=True)
        run = self.serve(study)
        worker = self.work()
        self.wait_for_epochs()
        self.windrow("stop", "--db", self.db)
        self.finish(run, expect=3)
        self.finish(worker)
        self.assertEqual(self.kinds(), {"preempted"})


if __name__ == "__main__":
    unittest.main()
