"""Whom a study names is told of its end and of failures, and can't hurt the run."""

import http.server
import json
import shutil
import threading
import unittest

from support import WindrowTest, wait_until

TELL = """import json, os, sys
told = json.load(sys.stdin)
told["WINDROW_DB"] = os.environ["WINDROW_DB"]
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
"""


class Notices(WindrowTest):
    def study(self, notices, xs=(1, 2), **parameters):
        self.write("tell.py", TELL)
        study = self.fake_study(xs=xs, **parameters)
        study.write_text(study.read_text() + notices)
        return study

    def told(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def test_the_end_is_told_when_the_study_is_over(self):
        study = self.study("on_end: [python3, tell.py, end.txt]\n"
                           "on_failure: [python3, tell.py, failure.txt]\n")
        self.run_study(study)
        end, = self.told("end.txt")
        self.assertEqual((end["event"], end["study"], end["finished"], end["failed"],
                          end["exit_code"]), ("end", "fake", 2, 0, 0))
        self.assertEqual(end["WINDROW_DB"], str(self.db))
        self.assertFalse((self.folder / "failure.txt").exists())

    def test_a_failed_trial_is_told_while_the_others_run(self):
        gate = self.folder / "gate"
        study = self.study("on_failure: [python3, tell.py, failure.txt]\n", xs=(1, 9),
                           fail_epoch=1, failing_x=1, fail_kind="nan", wait_file=str(gate), wait_x=9)
        process = self.start("run", study, "--db", self.db, "--slots", 2)
        wait_until("the failure", lambda: (self.folder / "failure.txt").exists()
                   and self.told("failure.txt"))
        gate.touch()
        self.finish(process, expect=1)
        failure, = self.told("failure.txt")
        self.assertEqual((failure["event"], failure["failed"]), ("failure", 1))
        self.assertNotEqual(failure["last_failure"], "")

    def test_failures_of_earlier_runs_are_no_news(self):
        study = self.study("on_failure: [python3, tell.py, failure.txt]\n", xs=(1, 9), fail_epoch=1,
                           failing_x=1, fail_kind="nan")
        self.run_study(study, expect=1)
        self.run_study(study, expect=1)
        self.assertEqual(len(self.told("failure.txt")), 1)

    def test_an_interrupted_run_has_no_news(self):
        study = self.study("on_end: [python3, tell.py, end.txt]\n"
                           "on_failure: [python3, tell.py, failure.txt]\n", epochs=100, epoch_ms=30)
        process = self.start("run", study, "--db", self.db)
        wait_until("an epoch", lambda: self.db.exists() and self.count(
            "SELECT count(*) FROM epochs"))
        process.terminate()
        self.finish(process, expect=3)
        self.assertFalse((self.folder / "end.txt").exists())
        self.assertFalse((self.folder / "failure.txt").exists())

    def test_who_fails_to_listen_changes_nothing(self):
        self.run_study(self.study("on_end: [python3, -c, 'import sys; sys.exit(\"busy\")']\n"))
        self.assertIn("on_end was not told: it ended with 1: busy", self.err)
        self.assert_each_trial_finished_once(2, 3)

    def test_a_run_that_cant_go_on_is_told(self):
        study = self.write("s.yaml", "study: s\ntrainer: {command: [sh, -c, 'exit 3']}\n"
                           "grid: {x: [1, 2, 3, 4]}\non_failure: [python3, tell.py, failure.txt]\n")
        self.write("tell.py", TELL)
        self.run_study(study, expect=3)
        self.assertIn("everything fails alike", self.told("failure.txt")[-1]["reason"])

    def test_what_cant_be_told_is_refused_before_anything_starts(self):
        self.run_study(self.study("on_end: [no-such-program]\n"), expect=2)
        self.assertIn('on_end can\'t be told: "no-such-program" is not in PATH', self.err)
        self.assertFalse(self.db.exists())
        self.run_study(self.study("on_end: mail\n"), expect=2)
        self.assertIn('on_end: "mail" is neither a command nor a web address', self.err)

    @unittest.skipUnless(shutil.which("curl"), "no curl")
    def test_a_web_address_gets_the_json(self):
        bodies = []

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            self.run_study(self.study(f"on_end: http://127.0.0.1:{server.server_port}/hook\n"))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        self.assertEqual([(body["event"], body["finished"]) for body in bodies], [("end", 2)])


if __name__ == "__main__":
    unittest.main()
