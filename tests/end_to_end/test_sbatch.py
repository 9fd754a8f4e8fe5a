"""slurm/windrow.sbatch with stand-ins for srun and scontrol: what is requeued, and what is not."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

from support import DEADLINE, SOURCE, WINDROW, WindrowTest, wait_until

SRUN = """#!/bin/bash
# Drops its options, starts the program, forwards USR1 and TERM as srun does, and says what a lost
# rank makes it say.
while [[ $1 == --* ]]; do shift; done
if [ -n "$SRUN_DIES" ]; then
  echo died >> deaths
  [ $(wc -l < deaths) -gt $SRUN_DIES ] || exit 139
fi
"$@" & p=$!
trap 'kill -USR1 $p' USR1; trap 'kill -TERM $p' TERM
while kill -0 $p 2>/dev/null; do wait $p; code=$?; done
sleep ${SRUN_LINGER:-0}
exit ${SRUN_CODE:-$code}
"""
SCONTROL = """#!/bin/bash
case "$1" in
  show) echo "JobId=$4 JobState=${JOB_STATE:-RUNNING} EndTime=${END_TIME:-Unknown} x" ;;
  requeue) echo "$2" >> "$REQUEUED" ;;
esac
"""


class Sbatch(WindrowTest):
    def setUp(self):
        super().setUp()
        self.requeued = self.folder / "requeued"
        for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
            self.write(name, text).chmod(0o755)

    def job(self, study, **environment):
        path = f"{self.folder}:{pathlib.Path(WINDROW).parent}:{os.environ['PATH']}"
        process = subprocess.Popen(
            ["bash", str(SOURCE / "slurm/windrow.sbatch"), str(study), "--db", str(self.db),
             "--slots", "2"],
            cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PATH": path, "SLURM_JOB_ID": "42",
                 "REQUEUED": str(self.requeued), **environment},
        )
        self.started.append(process)
        return process

    def end(self, process, expect):
        self.out, self.err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, expect, self.out + self.err)

    def requeues(self):
        return len(self.requeued.read_text().split()) if self.requeued.exists() else 0

    def interrupt(self, process, number=signal.SIGUSR1):
        wait_until("epochs", lambda: self.count("SELECT count(*) FROM epochs") >= self.before + 4)
        process.send_signal(number)

    def test_a_job_whose_time_is_up_comes_back_until_all_is_done(self):
        study = self.fake_study(xs=(1, 2), epochs=60, epoch_ms=20, checkpoints=True)
        self.before = 0
        process = self.job(study)
        self.interrupt(process)
        self.end(process, expect=3)
        self.assertEqual(self.requeues(), 1)
        self.end(self.job(study), expect=0)
        self.assertEqual(self.requeues(), 1)
        self.assert_each_trial_finished_once(2, 60)

    def deaths(self):
        return len((self.folder / "deaths").read_text().split())

    def test_a_launch_that_ends_before_the_run_begins_is_made_again_in_the_same_job(self):
        study = self.fake_study(xs=(1, 2))
        self.end(self.job(study, SRUN_DIES="2"), expect=0)
        self.assertEqual(self.deaths(), 3)  # the third one went on
        self.assertEqual(self.requeues(), 0, self.err)
        self.assertIn("it ended (139) before the run had begun", self.err)
        self.assert_each_trial_finished_once(2, 3)

    def test_a_job_in_which_no_run_begins_comes_back_three_times(self):
        study = self.fake_study(xs=(1, 2))
        for tries in (1, 2, 3):
            self.end(self.job(study, SRUN_DIES="99"), expect=3)
            self.assertEqual(self.deaths(), 3 * tries)
            self.assertEqual(self.requeues(), tries, self.err)
        self.end(self.job(study, SRUN_DIES="99"), expect=3)
        self.assertEqual(self.requeues(), 3)
        self.assertIn("three requeued jobs", self.err)
        self.end(self.job(study), expect=0)
        other = self.fake_study(xs=(1, 2), name="other")  # of which the database has nothing
        self.end(self.job(other, SRUN_DIES="99"), expect=3)
        self.assertEqual(self.requeues(), 4, self.err)
        self.end(self.job(other), expect=0)

    def test_what_srun_says_of_a_lost_rank_is_no_matter(self):
        study = self.fake_study(xs=(1, 2), epochs=60, epoch_ms=20, checkpoints=True)
        self.before = 0
        process = self.job(study, SRUN_CODE="137")
        self.interrupt(process, signal.SIGTERM)
        self.end(process, expect=3)
        self.assertEqual(self.requeues(), 1)
        self.end(self.job(study, SRUN_CODE="137"), expect=0)
        self.assertEqual(self.requeues(), 1)

    def test_a_cancelled_job_does_not_come_back(self):
        study = self.fake_study(xs=(1, 2), epochs=600, epoch_ms=20, checkpoints=True)
        self.before = 0
        # Slurm's word for a job of which processes still run, whatever ended it.
        for state in ("CANCELLED", "COMPLETING"):
            process = self.job(study, JOB_STATE=state)
            self.interrupt(process, signal.SIGTERM)
            self.end(process, expect=3)
            self.assertEqual(self.requeues(), 0)
            self.before = self.count("SELECT count(*) FROM epochs")

    def test_one_whose_time_was_up_before_the_script_was_through_does(self):
        study = self.fake_study(xs=(1, 2), epochs=600, epoch_ms=20, checkpoints=True)
        self.before = 0
        end = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 4))
        process = self.job(study, JOB_STATE="COMPLETING", END_TIME=end, SRUN_LINGER="5")
        self.interrupt(process, signal.SIGTERM)
        self.end(process, expect=3)
        self.assertEqual(self.requeues(), 1)

    def test_failed_trials_and_bad_files_are_no_reason_to_come_back(self):
        self.end(self.job(self.fake_study(xs=(1, 2), fail_epoch=1, fail_kind="nan")), expect=1)
        self.end(self.job(self.write("bad.yaml", "study: bad\n")), expect=2)
        self.assertEqual(self.requeues(), 0)

    def test_a_job_that_gets_nowhere_is_not_requeued_for_ever(self):
        self.run_study(self.fake_study(xs=(1,), name="other"))  # the database is there
        study = self.fake_study(xs=(1, 2), trainer_arguments=["--crash-at-start"])
        for _ in range(4):
            self.end(self.job(study, SRUN_CODE="3"), expect=3)
        self.assertEqual(self.requeues(), 3)


if __name__ == "__main__":
    unittest.main()
