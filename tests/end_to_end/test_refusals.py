"""Bad input and broken surroundings: a clear error, the right exit code, and nothing lost."""

import os
import resource
import signal
import sqlite3
import subprocess
import unittest

from support import FAKE, WINDROW, WindrowTest, wait_until


class Studies(WindrowTest):
    def test_faults_name_file_line_value_and_remedy_before_anything_starts(self):
        study = self.write(
            "bad.yaml",
            "study: bad\ntask: cifar10\nparameters: {dropuot: 0.5, epochs: 0}\ngrid: {dropout: [1.5]}\n",
        )
        self.run_study(study, expect=2)
        self.assertRegex(self.err, r"bad\.yaml:3:\d+: .*dropuot.*dropout")
        self.assertRegex(self.err, r"bad\.yaml:3:\d+: epochs: .*0")
        self.assertRegex(self.err, r"bad\.yaml:4:\d+: dropout: .*1\.5")
        self.assertFalse(self.db.exists())

    def test_a_missing_study_file(self):
        self.run_study(self.folder / "nope.yaml", expect=2)
        self.assertIn("nope.yaml", self.err)

    def test_missing_and_truncated_data_files_are_named_with_their_sizes(self):
        study = self.write("c.yaml", "study: c\ntask: cifar10\nparameters: {model: cnn5x5, optimizer: adam, epochs: 1}\ngrid: {dropout: [0, 0.5]}\n")
        data = self.folder / "cifar-10-batches-bin"
        data.mkdir()
        for i in range(1, 5):
            (data / f"data_batch_{i}.bin").write_bytes(bytes(3073))
        (data / "test_batch.bin").write_bytes(bytes(3072))
        trainer = ["--trainer", FAKE]
        self.run_study(study, "--data", self.folder, *trainer, expect=2)
        self.assertRegex(self.err, r"data_batch_5\.bin: No such file")
        self.assertRegex(self.err, r"test_batch\.bin: has 3072 bytes, expected 30730000")
        self.assertIn("windrow data cifar10", self.err)


class Trainers(WindrowTest):
    def test_a_missing_program(self):
        study = self.write("m.yaml", "study: m\ntrainer: {command: [no-such-program]}\ngrid: {x: [1]}\n")
        self.run_study(study, expect=2)
        self.assertIn('"no-such-program" is not in PATH', self.err)

    def test_a_missing_script(self):
        study = self.write("m.yaml", "study: m\ntrainer: {command: [python3, no.py]}\ngrid: {x: [1]}\n")
        self.run_study(study, expect=2)
        self.assertIn("no.py", self.err)

    def test_one_that_crashes_at_start_fails_no_trial(self):
        self.run_study(self.fake_study(trainer_arguments=["--crash-at-start"]), expect=2)
        self.assertIn("the trainer does not start", self.err)
        self.assertIn("can't import torch", self.err)
        self.assertEqual(self.rows("SELECT DISTINCT state FROM trials"), [("pending",)])

    def test_one_that_never_says_ready(self):
        study = self.write(
            "n.yaml",
            f"study: n\ntrainer: {{command: [{FAKE}, --never-ready], persistent: true, "
            "ready_seconds: 0.3}\ngrid: {x: [1, 2]}\n",
        )
        self.run_study(study, expect=2)
        self.assertIn("did not say ready", self.err)

    def test_one_that_breaks_the_protocol(self):
        self.run_study(self.fake_study(xs=(1,), garbage_epoch=2), expect=1)
        self.assertEqual(
            self.rows("SELECT DISTINCT kind, message LIKE '%line protocol%' FROM failures"),
            [("crash", 1)],
        )

    def test_text_among_its_messages_is_log_text(self):
        self.run_study(self.fake_study(trainer_arguments=["--chatty"]))
        self.assert_each_trial_finished_once(4, 3)

    def test_one_that_hangs_is_killed(self):
        study = self.write(
            "h.yaml",
            f"study: h\ntrainer: {{command: [{FAKE}], persistent: true, hang_seconds: 0.3}}\n"
            "parameters: {epochs: 3, hang_epoch: 2}\ngrid: {x: [1]}\n",
        )
        self.run_study(study, expect=1)
        self.assertEqual(self.rows("SELECT DISTINCT kind FROM failures"), [("hang",)])


class Folders(WindrowTest):
    def test_a_checkpoint_folder_that_cant_be_written_is_found_before_anything_starts(self):
        self.run_study(self.fake_study(), "--checkpoints", "/proc/nowhere", expect=2)
        self.assertIn("checkpoints can't be written in /proc/nowhere", self.err)
        self.assertIn("--checkpoints", self.err)

    def test_a_working_folder_that_is_gone_is_named(self):
        where = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
        command = ["sh", "-c", where, "sh", WINDROW, "run", self.fake_study()]
        ended = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("the folder that it was started in is gone", ended.stderr)

    def test_names_that_are_no_files_are_no_databases(self):
        for name in ("", ":memory:", "file:x.db?mode=memory"):
            with self.subTest(name):
                self.windrow("run", self.fake_study(), "--db", name, expect=2)
                self.assertIn("--db", self.err)

    def test_output_that_cant_be_written_is_an_error(self):
        self.run_study(self.fake_study())
        with open("/dev/full", "w") as full:
            code = subprocess.run(
                [WINDROW, "table", "--db", self.db], stdout=full, stderr=subprocess.DEVNULL
            ).returncode
        self.assertEqual(code, 2)


class Databases(WindrowTest):
    def test_a_file_that_is_no_database(self):
        self.db.write_text("this is a thesis, not a database\n" * 100)
        self.run_study(self.fake_study(), expect=4)
        self.assertIn(str(self.db), self.err)
        self.assertTrue(self.db.read_text().startswith("this is a thesis"))

    def test_a_database_of_another_program(self):
        connection = sqlite3.connect(self.db)
        connection.execute("CREATE TABLE mine (x)")
        connection.commit()
        connection.close()
        self.run_study(self.fake_study(), expect=4)
        self.assertEqual(self.rows("SELECT name FROM sqlite_schema"), [("mine",)])

    def test_a_newer_database(self):
        self.run_study(self.fake_study())
        connection = sqlite3.connect(self.db)
        connection.execute("PRAGMA user_version = 999")
        connection.close()
        for command in (["run", self.fake_study()], ["status"], ["table"]):
            self.windrow(*command, "--db", self.db, expect=4)
            self.assertIn("999", self.err)

    def test_a_database_that_may_not_be_written(self):
        # Root may write anything but what the file system itself refuses.
        self.windrow("run", self.fake_study(), "--db", "/proc/windrow.db", expect=4)
        self.assertIn("/proc/windrow.db", self.err)

    def test_another_coordinator_has_it(self):
        first = self.start("run", self.fake_study(epochs=1000, epoch_ms=20), "--db", self.db)
        wait_until("an epoch", lambda: self.count("SELECT count(*) FROM epochs"))
        self.run_study(self.fake_study(), expect=4)
        self.assertIn(str(first.pid), self.err)
        self.assertIn(os.uname().nodename, self.err)
        self.windrow("retry", "--db", self.db, expect=4)
        first.send_signal(signal.SIGINT)
        self.finish(first, expect=3)

    def test_a_full_disk_ends_the_run_and_what_was_committed_stays(self):
        limit = 400 * 1024

        def full_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        study = self.fake_study(xs=range(50), epochs=200)
        ended = subprocess.run(
            [WINDROW, "run", study, "--db", self.db],
            preexec_fn=full_disk,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.assertEqual(ended.returncode, 4, ended.stderr)
        self.assertIn(str(self.db), ended.stderr)
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        self.run_study(study)
        self.assert_each_trial_finished_once(50, 200)


if __name__ == "__main__":
    unittest.main()
