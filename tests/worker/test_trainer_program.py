"""windrow-trainer as an agent sees it: lines through pipes, signals, its end.

Usage: test_trainer_program.py PROGRAM [unittest arguments]
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
TIMEOUT = 60  # seconds; far more than any step here takes


class Trainer:
    """A running trainer, whose messages are read one by one."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        # Whatever goes wrong, a test ends: the pipe closes with the process.
        signal.alarm(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        signal.alarm(0)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def send_line(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def send(self, **message):
        self.send_line(json.dumps(message))

    def start(self, trial=1, attempt=1, epochs=3, checkpoint_dir="", **more):
        parameters = {"depth": 2, "width": 8, "lr": 0.003, "batch": 50, "epochs": epochs,
                      "train_sets": 2000, "test_sets": 500}
        self.send(event="start", trial=trial, attempt=attempt, task="choice-sets", seed=5,
                  parameters=parameters, device="cpu", threads=1, checkpoint_dir=checkpoint_dir,
                  **more)

    def read(self):
        """The next message; every line on stdout must be one."""
        return json.loads(self.process.stdout.readline())

    def read_until(self, *events):
        """The messages up to and including the first of one of `events`."""
        messages = [self.read()]
        while messages[-1]["event"] not in events:
            messages.append(self.read())
        return messages


def epochs_of(messages):
    return {m["epoch"]: (m["metrics"], m["state_hash"]) for m in messages if m["event"] == "epoch"}


class TrainerProgram(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "checkpoints")

    def test_trains_trial_after_trial(self):
        with Trainer() as trainer:
            ready = trainer.read()
            self.assertEqual(ready["event"], "ready")
            self.assertEqual(ready["tasks"], ["choice-sets", "cifar10"])
            self.assertIn("torch", ready["versions"])
            self.assertIn("windrow-trainer", ready["versions"])
            for trial in (1, 2):
                trainer.start(trial=trial)
                messages = trainer.read_until("finished", "failed")
                self.assertEqual([m["event"] for m in messages if m["event"] != "heartbeat"],
                                 ["started", "epoch", "epoch", "epoch", "finished"])
                self.assertEqual({m["trial"] for m in messages}, {trial})
                self.assertEqual(messages[-1]["epochs"], 3)
                self.assertIn("test_mse", messages[-1]["result"])

    def test_a_queued_trial_follows_without_being_asked(self):
        with Trainer() as trainer:
            trainer.start(trial=1)
            trainer.start(trial=2)
            self.assertEqual(trainer.read_until("finished")[-1]["trial"], 1)
            self.assertEqual(trainer.read_until("finished")[-1]["trial"], 2)

    def test_stop_ends_after_the_epoch_with_a_checkpoint(self):
        with Trainer() as trainer:
            trainer.start(epochs=1000000, checkpoint_dir=self.folder)
            trainer.read_until("epoch")
            trainer.send(event="stop", trial=1, attempt=1)
            messages = trainer.read_until("stopped", "failed")
            self.assertEqual(messages[-1]["event"], "stopped")
            last = [m for m in messages if m["event"] == "epoch"][-1]["epoch"]
            self.assertIn(f"epoch-{last}.ckpt", os.listdir(self.folder))

    def test_abort_leaves_without_an_answer(self):
        with Trainer() as trainer:
            trainer.start(trial=1, epochs=1000000)
            trainer.read_until("epoch")
            trainer.send(event="abort", trial=1, attempt=1)
            trainer.start(trial=2, epochs=1)
            messages = trainer.read_until("finished")
            self.assertEqual(messages[-1]["trial"], 2)
            self.assertFalse([m for m in messages if m["event"] == "failed"])

    def test_messages_of_an_attempt_that_is_over_change_nothing(self):
        with Trainer() as trainer:
            trainer.start(trial=1, attempt=1, epochs=1)
            trainer.read_until("finished")
            trainer.send(event="stop", trial=1, attempt=1)
            trainer.start(trial=1, attempt=2, epochs=2)
            self.assertEqual(trainer.read_until("finished", "failed")[-1]["event"], "finished")

    def test_end_of_input_ends_it_in_the_middle_of_training(self):
        with Trainer() as trainer:
            trainer.start(epochs=1000000)
            trainer.read_until("epoch")
            trainer.process.stdin.close()
            self.assertEqual(trainer.process.wait(TIMEOUT), 0)

    def test_a_reader_that_is_gone_ends_it(self):
        with Trainer() as trainer:
            trainer.read()
            trainer.process.stdout.close()
            trainer.start(epochs=1000000)
            self.assertEqual(trainer.process.wait(TIMEOUT), 0)

    def test_garbage_is_answered_and_survived(self):
        with Trainer() as trainer:
            trainer.read()
            for line in ("hello", "{}", '{"event": "dance"}', '{"event": "start", "trial": "x"}'):
                trainer.send_line(line)
                answer = trainer.read()
                self.assertEqual((answer["event"], answer["level"]), ("log", "error"), line)
            trainer.start(epochs=1)
            self.assertEqual(trainer.read_until("finished", "failed")[-1]["event"], "finished")

    def test_signals_of_the_terminal_and_the_batch_system_are_the_agents_to_answer(self):
        with Trainer() as trainer:
            trainer.read()
            trainer.process.send_signal(signal.SIGINT)
            trainer.process.send_signal(signal.SIGTERM)
            trainer.start(epochs=1)
            self.assertEqual(trainer.read_until("finished", "failed")[-1]["event"], "finished")

    def test_killed_and_resumed_it_gives_the_same_bits(self):
        epochs = 12
        with Trainer() as trainer:
            trainer.start(epochs=epochs)
            whole = trainer.read_until("finished")
        for kill_after in (1, 5, 11):
            with self.subTest(kill_after=kill_after):
                folder = self.folder + str(kill_after)
                with Trainer() as trainer:
                    trainer.start(epochs=epochs, checkpoint_dir=folder)
                    sent = trainer.read_until("epoch")
                    while sent[-1]["epoch"] < kill_after:
                        sent += trainer.read_until("epoch")
                    trainer.process.send_signal(signal.SIGKILL)
                    trainer.process.wait()
                committed = sent[-1]["epoch"]
                with Trainer() as trainer:
                    trainer.start(attempt=2, epochs=epochs, checkpoint_dir=folder,
                                  committed_epochs=committed)
                    rest = trainer.read_until("finished", "failed")
                started = [m for m in rest if m["event"] == "started"][0]
                self.assertGreaterEqual(started["resumed_from_epoch"], committed)
                self.assertEqual({**epochs_of(sent), **epochs_of(rest)}, epochs_of(whole))
                self.assertTrue(all(epoch > committed for epoch in epochs_of(rest)))
                self.assertEqual(rest[-1]["result"], whole[-1]["result"])

    def test_arguments(self):
        run = lambda *arguments: subprocess.run([PROGRAM, *arguments], capture_output=True,
                                                text=True, timeout=TIMEOUT, check=False)
        self.assertIn("windrow-trainer", run("--version").stdout)
        self.assertIn("start, stop and abort", run("--help").stdout)
        self.assertEqual(run("--frobnicate").returncode, 2)


if __name__ == "__main__":
    unittest.main()
