// A small study in a database, for tests of what is drawn of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "orchestrator/report/figures.h"
#include "storage/store.h"
#include "tests/storage/temporary_folder.h"

namespace windrow::report {

class RecordedStudy : public ::testing::Test {
 protected:
  // What follows the trainer in the study file; trials get the numbers 1, 2, ... cell by cell.
  void begin(const std::string& rest) {
    study = sweeps::parse_study("{study: s, trainer: {command: [x]}, " + rest + "}", "s.yaml");
    const sweeps::Expansion expansion = sweeps::expand(study);
    std::vector<storage::CellRecord> cells;
    for (const sweeps::Cell& cell : expansion.cells)
      cells.push_back({cell.hash, cell.parameters, cell.stages});
    varying = expansion.varying;
    store.reconcile({study.name, study.text, study.hash}, cells, study.seeds);
  }

  void start(int trial, const protocol::Json& info = protocol::Json::object()) {
    storage::AttemptBegan began;
    began.trial = {trial};
    began.host = "n1";
    began.device = "cpu";
    began.info = info;
    store.record(began);
  }

  // Epochs 1, 2, ... with these losses.
  void train(int trial, const std::vector<double>& losses) {
    start(trial);
    for (std::size_t i = 0; i < losses.size(); ++i) {
      storage::EpochDone done;
      done.epoch.trial = {trial};
      done.epoch.epoch = static_cast<int>(i) + 1;
      done.epoch.metrics = {{"loss", losses[i]}};
      done.epoch.wall_seconds = 1;
      store.record(done);
    }
  }

  void finish(int trial, const protocol::Metrics& result = {},
              const protocol::Json& artefacts = protocol::Json::object()) {
    storage::AttemptFinished end;
    end.finished.trial = {trial};
    end.finished.result = result;
    end.finished.artefacts = artefacts;
    store.record(end);
  }

  void fail(int trial) {
    storage::AttemptFailed failed;
    failed.trial = {trial};
    failed.kind = protocol::FailureKind::nan;
    failed.host = "n1";
    failed.final = true;
    store.record(failed);
  }

  std::vector<Drawing> draw() {
    store.flush();
    storage::Reader reader(file);
    return draw_figures(study, reader, varying);
  }

  storage::TemporaryFolder folder;
  const std::filesystem::path file = folder / "windrow.db";
  storage::Store store{file};
  sweeps::Study study;
  std::vector<std::string> varying;
};

// "x:y±half-width/n" of each point.
inline std::string shown(const std::vector<Point>& points) {
  std::string text;
  for (const Point& p : points) {
    char buffer[120];
    std::snprintf(buffer, sizeof buffer, "%s%g:%g", text.empty() ? "" : " ", p.x, p.y);
    text += buffer;
    if (p.ci95) {
      std::snprintf(buffer, sizeof buffer, "±%.4g", *p.ci95);
      text += buffer;
    }
    text += "/" + std::to_string(p.n);
  }
  return text;
}

}  // namespace windrow::report
