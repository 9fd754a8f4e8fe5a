"""A report as its reader sees it: opened in a browser without a network, and files for a paper."""

import html
import json
import re
import shutil
import subprocess
import unittest

from support import FAKE, WindrowTest, wait_until

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)

# Goes into a copy of the page: notes errors and, once the charts are there, what is on each canvas.
PROBE = """<script>
const problems = [];
addEventListener("error", (event) => problems.push("error: " + event.message));
addEventListener("securitypolicyviolation", (event) => problems.push("blocked: " + event.blockedURI));
const log = console.error;
console.error = (...parts) => { problems.push("console: " + parts.join(" ")); log(...parts); };
addEventListener("load", () => {
  const inked = [...document.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] === 255) colours.add((data[i] << 16) + (data[i + 1] << 8) + data[i + 2]);
    return canvas.dataset.chart + ":" + [...colours].map((c) => c.toString(16).padStart(6, "0")).join(",");
  });
  document.documentElement.setAttribute("data-probe", JSON.stringify({ problems, inked }));
});
</script>"""


class Report(WindrowTest):
    def study(self, report="", trials="grid: {x: [1, 2]}", **parameters):
        parameters = {"epochs": 3, "classes": 3, **parameters}
        return self.write(
            "s.yaml",
            f"study: s\ntrainer: {{command: [{FAKE}], persistent: true}}\nparameters: {parameters}\n"
            f"seeds: 2\n{trials}\n{report}",
        )

    def browse(self, page, doing=""):
        """The document after its scripts have run, `doing` too, and the probe's findings."""
        text = page.read_text()
        text = text.replace("</body>", f"<script>{doing}</script></body>", 1)
        probed = self.folder / "probed.html"
        # In front of all scripts, and allowed to run as they are.
        probed.write_text(text.replace("<style>", PROBE + "<style>", 1))
        result = subprocess.run(
            [
                BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                f"--user-data-dir={self.folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
                "--window-size=1300,1000", "--virtual-time-budget=10000", "--enable-logging=stderr",
                "--dump-dom", probed.as_uri(),
            ],
            capture_output=True, text=True, timeout=100,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(re.findall(r".*CONSOLE.*", result.stderr), [])
        probe = re.search(r'data-probe="([^"]*)"', result.stdout)
        self.assertTrue(probe, result.stdout[:2000])
        return result.stdout, json.loads(html.unescape(probe.group(1)))

    @unittest.skipUnless(BROWSER, "no chromium")
    def test_cells_are_filtered_and_brushed(self):
        grid = "grid: {x: [1, 2, 3], y: [1, 2]}"  # loss = (1 + x) / 3 + y
        report = "report: {compare: {metric: loss}, columns: {x: X, y: Y, loss: Loss}}\n"
        self.run_study(self.study(report, grid))
        page = self.folder / "p.html"
        self.windrow("report", "--db", self.db, "--output", page)
        text = page.read_text()
        self.assertIn("What matters for Loss", text)
        self.assertIn("<td>Y</td><td>77.1 %</td>", text)
        self.assertIn("<td>X</td><td>22.9 %</td>", text)
        shown, probe = self.browse(page)
        self.assertEqual(probe["problems"], [])
        self.assertIn('id="cells" data-shown="6 of 6"', shown)
        typed = """const input = document.querySelector("#cells input");
            input.value = "X<3 y=2"; input.dispatchEvent(new Event("input"));"""
        shown, _ = self.browse(page, typed)
        self.assertIn('id="cells" data-shown="2 of 6"', shown)
        results = shown[shown.index('id="results"') : shown.index('id="importance"')]
        self.assertEqual(results.count("<tr hidden"), 4)
        dragged = """const hold = document.querySelector("rect[data-axis=x]");
            const box = hold.getBoundingClientRect();
            const at = (kind, share) => hold.dispatchEvent(new PointerEvent(
                kind, { clientX: box.left + 5, clientY: box.top + share * box.height }));
            at("pointerdown", 0); at("pointermove", 0.3); at("pointerup", 0.3);"""
        shown, _ = self.browse(page, dragged)  # from above: the largest x only
        self.assertIn('id="cells" data-shown="2 of 6"', shown)

    @unittest.skipUnless(BROWSER, "no chromium")
    def test_every_chart_is_drawn_offline_without_an_error(self):
        self.run_study(self.study())
        self.windrow("report", "--db", self.db, "-o", "r.html")
        dom, probe = self.browse(self.folder / "r.html")
        self.assertEqual(probe["problems"], [])
        # loss by epoch and class accuracies; two cells' matrices are tables
        self.assertIn('data-charts="2 of 2"', dom)
        self.assertEqual(len(probe["inked"]), 2)
        for canvas in probe["inked"]:
            self.assertIn("0072b2", canvas, "the first cell's colour")
            self.assertIn("d55e00", canvas, "the second cell's colour")
        self.assertEqual(len(re.findall(r'<table class="heat">', dom)), 2)
        self.assertIn("4 of 4 trials finished", dom)
        self.assertNotIn('id="missing"', dom)
        self.assertIn("No attempt failed.", dom)

    @unittest.skipUnless(BROWSER, "no chromium")
    def test_hostile_names_stay_text(self):
        hostile = "</script><img src=x onerror=alert(1)>"
        self.run_study(
            self.study(
                trials=f"grid: {{x: [1], name: ['{hostile}', b]}}",
                report="report: {caption: '<b>bold</b> & {{chart}}', figures: [{kind: curves, metric: loss, "
                f"title: '{hostile}'}}, {{kind: scatter, x: x, y: loss}}]}}\n",
            )
        )
        self.windrow("report", "--db", self.db, "-o", "r.html")
        dom, probe = self.browse(self.folder / "r.html")
        self.assertEqual(probe["problems"], [])
        self.assertIn('data-charts="2 of 2"', dom)
        self.assertNotIn("<img", dom)
        self.assertIn("&lt;img src=x onerror=alert(1)&gt;", dom)
        self.assertIn("&lt;b&gt;bold&lt;/b&gt; &amp; {{chart}}", dom)

    def test_an_unfinished_study_says_what_is_missing(self):
        study = self.study(
            trials="stages: {first: {grid: {x: [1, 2]}}, second: {best: {of: first, by: loss, take: [x]}, "
            "grid: {y: [1, 2, 3]}}}",
            fail_epoch=2,
            fail_kind="nan",
        )
        self.run_study(study, expect=1)
        self.windrow("report", "--db", self.db, "-o", "r.html")
        self.assertIn("0 of 4 trials finished, 4 failed, and 1 stage without cells yet", self.err)
        page = (self.folder / "r.html").read_text()
        self.assertRegex(page, r"<li>stage second: [^<]*first")
        self.assertIn("<li>x 1: no result, 2 failed</li>", page)
        self.assertIn("as the parameters ask", page)
        self.assertIn("No finished result yet.", page)

    def test_a_report_of_a_running_study_changes_nothing(self):
        process = self.start("run", self.study(epochs=1000, epoch_ms=20), "--db", self.db)
        wait_until("an epoch", lambda: self.count("SELECT count(*) FROM epochs"))
        self.windrow("report", "--db", self.db, "-o", "r.html")
        page = (self.folder / "r.html").read_text()
        self.assertIn("0 of 4 trials finished", page)
        self.assertIn("loss by epoch", page)
        process.terminate()
        self.finish(process, expect=3)

    def test_figures_and_columns_may_come_from_an_edited_file(self):
        self.run_study(self.study())
        self.study(report="report: {columns: {x: The x}, figures: [{kind: curves, metric: loss, title: New}]}\n")
        self.windrow("report", "s.yaml", "--db", self.db, "-o", "r.html")
        page = (self.folder / "r.html").read_text()
        self.assertIn("<figcaption>New</figcaption>", page)
        self.assertIn(">The x</th>", page)

    @unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot")
    def test_figures_for_a_paper(self):
        self.run_study(self.study())
        self.windrow("report", "--db", self.db, "--figures", "paper", "--format", "pdf")
        files = sorted(path.name for path in (self.folder / "paper").iterdir())
        names = ["class-accuracy", "confusion-x-1", "confusion-x-2", "curves-1"]
        self.assertEqual(files, sorted(n + e for n in names for e in (".csv", ".gp", ".pdf")))
        for name in names:
            self.assertTrue((self.folder / "paper" / f"{name}.pdf").read_bytes().startswith(b"%PDF"))
        lines = (self.folder / "paper" / "curves-1.csv").read_text().splitlines()
        self.assertEqual(lines[0], "line,epoch,loss,ci95,n")
        self.assertEqual(len(lines), 1 + 2 * 3)
        self.assertFalse((self.folder / "s.html").exists(), "the page was not asked for")

    def test_the_same_numbers_as_the_table(self):
        self.run_study(self.study())
        self.windrow("report", "--db", self.db, "-o", "r.html")
        page = (self.folder / "r.html").read_text()
        table = self.windrow("table", "--db", self.db, "--format", "csv")
        self.assertEqual(len(table.splitlines()), 3)
        intervals = re.findall(r"-?[0-9.]+ ± [0-9.]+", self.windrow("table", "--db", self.db))
        self.assertGreaterEqual(len(intervals), 2)
        for interval in intervals:
            self.assertIn(f">{interval}<", page)

    def test_refusals_say_what_to_do(self):
        self.windrow("report", "--db", self.db, expect=4)
        self.assertIn("there is no such file", self.err)
        self.run_study(self.study())
        self.windrow("report", "--db", self.db, "-o", "nowhere/r.html", expect=2)
        self.assertIn("nowhere/r.html: can't be written", self.err)
        self.windrow("report", "--db", self.db, "--format", "pdf", expect=2)
        self.assertIn("--figures", self.err)
        self.windrow("report", "--db", self.db, "--figures", "f", env={"PATH": "/nonexistent"}, expect=2)
        self.assertIn("gnuplot-nox", self.err)


class LivePage(WindrowTest):
    def test_the_page_follows_the_run_and_stays(self):
        gate = self.folder / "gate"
        study = self.fake_study(xs=(1, 9), wait_file=str(gate), wait_x=9)
        page = self.folder / "live.html"
        process = self.start("run", study, "--db", self.db, "--slots", 1, "--page", page)
        wait_until("a page with the first trial", lambda: page.exists()
                   and "1 of 2 trials finished" in page.read_text())
        self.assertIn('http-equiv="refresh"', page.read_text())
        gate.touch()
        self.finish(process)
        self.assertIn("2 of 2 trials finished", page.read_text())
        self.assertNotIn('http-equiv="refresh"', page.read_text())
        self.assertEqual(list(self.folder.glob("*.tmp")), [])

    def test_a_page_that_cant_be_written_is_refused_before_anything_starts(self):
        self.run_study(self.fake_study(), "--page", self.folder / "none" / "live.html", expect=2)
        self.assertIn("name another file with --page", self.err)
        self.assertEqual(self.count("SELECT count(*) FROM attempts"), 0)


if __name__ == "__main__":
    unittest.main()
