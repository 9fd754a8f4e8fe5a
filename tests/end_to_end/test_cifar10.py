"""P1 on the real images: the five optimizers, killed in the middle and run again."""

import os
import pathlib
import signal
import subprocess
import unittest

from support import SOURCE, WINDROW, WindrowTest, descendants, wait_until

TRAINER = os.environ.get("WINDROW_TRAINER", "")
IMAGES = SOURCE.parent / "shared" / "cifar10"


@unittest.skipUnless(TRAINER, "built without LibTorch")
@unittest.skipUnless(IMAGES.exists(), f"the real images are not at {IMAGES}")
class Cifar10(WindrowTest):
    def unpack(self):
        # Debian's Python has the packages that `unpack` needs; the one in PATH may be another.
        subprocess.run(
            ["/usr/bin/python3", IMAGES / "unpack", self.folder],
            check=True, capture_output=True, timeout=300,
        )

    def test_five_optimizers_over_mpi_with_a_kill_in_the_middle(self):
        self.unpack()
        study = self.write(
            "p1.yaml",
            """
study: p1
task: cifar10
parameters: {model: cnn5x5, lr: 0.001, batch: 128, epochs: 3, steps_per_epoch: 50}
grid: {optimizer: [sgd, nesterov, adagrad, rmsprop, adam], dropout: [0]}
""",
        )
        arguments = ["--data", self.folder, "--slots", 1]
        process = self.start(
            "run", study, "--db", self.db, *arguments, ranks=3,
            wrapper=["--enable-recovery", WINDROW],
        )
        wait_until(
            "four epochs", lambda: self.count("SELECT count(*) FROM epochs") >= 4, deadline=400
        )
        self.kill_rank_0(process)
        process.communicate(timeout=60)
        before = self.rows("SELECT trial, epoch, state_hash FROM epochs")
        self.assertGreaterEqual(len(before), 4)
        self.finish_slowly(self.start("run", study, "--db", self.db, *arguments, ranks=3))
        self.assert_each_trial_finished_once(5, 3)
        after = self.rows("SELECT trial, epoch, state_hash FROM epochs")
        self.assertLessEqual(set(before), set(after))
        loss = dict(self.rows("SELECT optimizer, train_loss FROM trials"))
        for fast in ("adam", "rmsprop"):
            for slow in ("sgd", "adagrad"):
                self.assertLess(loss[fast], loss[slow], loss)

    def kill_rank_0(self, mpirun):
        for pid in descendants(mpirun.pid, "windrow"):
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if b"OMPI_COMM_WORLD_RANK=0" in environment:
                os.kill(pid, signal.SIGKILL)

    def finish_slowly(self, process):
        out, err = process.communicate(timeout=900)
        self.assertEqual(process.returncode, 0, out + err)


if __name__ == "__main__":
    unittest.main()
