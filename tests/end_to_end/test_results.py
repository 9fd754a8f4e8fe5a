"""docs/results.md against the databases that it shows: its tables are what the commands print."""

import os
import shutil
import subprocess
import tempfile
import unittest

WINDROW = os.environ["WINDROW"]
DOCS = os.path.join(os.environ["SOURCE_DIR"], "docs")


def printed(*arguments):
    result = subprocess.run([WINDROW, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout


class Results(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="windrow-results-")
        self.addCleanup(shutil.rmtree, self.folder)

    def database(self, name):
        return shutil.copy(os.path.join(DOCS, "results", name), self.folder)

    def test_the_tables_are_the_databases(self):
        with open(os.path.join(DOCS, "results.md"), encoding="utf-8") as page:
            lines = set(page.read().splitlines())
        for name in os.listdir(os.path.join(DOCS, "results")):
            with self.subTest(name):
                table = printed("table", "--db", self.database(name), "--format", "markdown")
                rows = [line for line in table.splitlines() if line.startswith("|")]
                self.assertGreater(len(rows), 2)
                for row in rows:
                    self.assertIn(row, lines)

    def test_the_findings_of_p3_hold(self):
        text = printed("findings", "--db", self.database("p3.db"))
        self.assertIn("p3: 5 findings from 24 trials", text)
        self.assertEqual(text.count("   holds"), 5)

    def test_each_database_is_small_and_opens(self):
        for name in os.listdir(os.path.join(DOCS, "results")):
            self.assertLess(os.path.getsize(os.path.join(DOCS, "results", name)), 1_000_000)
            printed("status", "--db", self.database(name))


if __name__ == "__main__":
    unittest.main()
