#include "orchestrator/report/report_content.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "orchestrator/report/cells_view.h"
#include "orchestrator/report/figures.h"
#include "orchestrator/report/report_results.h"
#include "orchestrator/results/planned_trials.h"
#include "protocol/messages.h"

namespace windrow::report {
namespace {

using report::Block;
using storage::ResultTable;
using storage::Value;

// Longer lists are no use on a page; `windrow query` has them whole.
constexpr std::size_t kMaxListed = 200;
constexpr std::size_t kMaxMissing = 40;

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char buffer[40];
  std::strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M UTC", &utc);
  return buffer;
}

std::string counted(std::size_t number, const char* one, const char* several) {
  return std::to_string(number) + " " + (number == 1 ? one : several);
}

void cut(Block& block, const std::string& query) {
  if (block.table.rows.size() <= kMaxListed) return;
  block.notes.push_back("The first " + std::to_string(kMaxListed) + " of " +
                        std::to_string(block.table.rows.size()) + " rows; windrow query \"" +
                        query + "\" has all.");
  block.table.rows.resize(kMaxListed);
}

std::string cell_name(const StudyPlan& plan, const sweeps::Cell& cell) {
  std::string text;
  for (const std::string& key : plan.expansion.varying) {
    const auto value = cell.parameters.find(key);
    if (value == cell.parameters.end()) continue;
    text += (text.empty() ? "" : ", ") + key + " " +
            (value->is_string() ? value->get<std::string>() : value->dump());
  }
  return text.empty() ? "the study's cell" : text;
}

// ---- the state

struct Totals {
  std::size_t trials = 0, finished = 0, failed = 0;
};

Totals totals_of(const StudyPlan& plan) {
  Totals totals;
  for (const PlannedCell& cell : plan.cells) {
    totals.trials += static_cast<std::size_t>(cell.unknown + cell.begun + cell.pending +
                                              cell.finished + cell.failed);
    totals.finished += static_cast<std::size_t>(cell.finished);
    totals.failed += static_cast<std::size_t>(cell.failed);
  }
  return totals;
}

std::vector<std::string> missing_of(const StudyPlan& plan) {
  std::vector<std::string> missing;
  for (const auto& [stage, state] : plan.expansion.stages)
    if (state.kind != sweeps::StageState::Kind::expanded)
      missing.push_back("stage " + stage + ": " + state.reason);
  std::size_t left_out = 0;
  for (const PlannedCell& planned : plan.cells) {
    const int all =
        planned.unknown + planned.begun + planned.pending + planned.finished + planned.failed;
    if (planned.finished == all) continue;
    if (missing.size() >= kMaxMissing) {
      ++left_out;
      continue;
    }
    std::string line = cell_name(plan, *planned.cell) + ": ";
    line += planned.finished == 0
                ? std::string("no result")
                : std::to_string(planned.finished) + " of " +
                      counted(static_cast<std::size_t>(all), "trial", "trials") + " finished";
    if (planned.failed > 0) line += ", " + std::to_string(planned.failed) + " failed";
    missing.push_back(line);
  }
  if (left_out > 0)
    missing.push_back("and " + counted(left_out, "more cell", "more cells") +
                      "; windrow plan lists them");
  return missing;
}

void add_state(const StudyPlan& plan, report::PageContent& content) {
  const Totals totals = totals_of(plan);
  content.missing = missing_of(plan);
  content.complete = content.missing.empty();
  content.state = std::to_string(totals.finished) + " of " +
                  counted(totals.trials, "trial", "trials") + " finished";
  if (totals.failed > 0) content.state += ", " + std::to_string(totals.failed) + " failed";
  const auto waiting = std::ranges::count_if(plan.expansion.stages, [](const auto& stage) {
    return stage.second.kind != sweeps::StageState::Kind::expanded;
  });
  if (waiting > 0)
    content.state += ", and " + counted(static_cast<std::size_t>(waiting), "stage", "stages") +
                     " without cells yet";
}

// ---- failures and provenance

void add_failures(storage::Reader& reader, const std::string& of_study,
                  report::PageContent& content) {
  const std::string from = " FROM failures f JOIN trials t ON t.trial = f.trial WHERE " + of_study;
  Block kinds{"By kind"};
  kinds.table = reader.query(
      "SELECT f.kind, count(*) AS attempts, count(DISTINCT f.trial) AS "
      "trials, count(DISTINCT f.host) AS hosts" +
      from + " GROUP BY f.kind ORDER BY attempts DESC");
  if (kinds.table.rows.empty()) {
    content.failures = {{.heading = "", .notes = {"No attempt failed."}}};
    return;
  }
  const std::string columns =
      "SELECT f.trial, f.attempt, f.kind, f.message, f.exit_code, f.signal, f.host, f.slot, "
      "t.state AS trial_is, t.cell, t.seed";
  Block each{"Each failed attempt"};
  each.table = reader.query(columns + from + " ORDER BY f.trial, f.attempt");
  cut(each, "SELECT * FROM failures");
  content.failures = {std::move(kinds), std::move(each)};
}

// {"torch": "2.11.0", "windrow": "0.1.0"} as "torch 2.11.0, windrow 0.1.0".
void write_out_versions(storage::ResultTable& table, std::size_t column) {
  for (auto& row : table.rows) {
    const auto* text = std::get_if<std::string>(&row[column]);
    const auto versions = text ? protocol::Json::parse(*text, nullptr, false) : protocol::Json();
    if (!versions.is_object()) continue;
    std::string list;
    for (const auto& [name, version] : versions.items())
      list += (list.empty() ? "" : ", ") + name + " " +
              (version.is_string() ? version.get<std::string>() : version.dump());
    row[column] = list;
  }
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// What made the results, with the commit that its folder had; no rows in an older file.
Block program_block(storage::Reader& reader, const std::string& of_study) {
  Block block{"Programs"};
  const auto programs = reader.programs();
  if (programs.empty()) return block;
  const storage::ResultTable used = reader.query(
      "SELECT a.program, s.git_commit, CASE s.git_dirty WHEN 1 THEN 'yes' WHEN 0 THEN 'no' END, "
      "count(*) FROM attempts a JOIN trials t ON t.trial = a.trial LEFT JOIN sources s ON s.source "
      "= a.source WHERE a.program IS NOT NULL AND " +
      of_study + " GROUP BY a.program, s.git_commit, s.git_dirty ORDER BY min(a.began_at)");
  block.table.columns = {"program", "command", "files", "git commit", "uncommitted changes",
                         "attempts"};
  for (const auto& row : used.rows) {
    const auto* hash = std::get_if<std::string>(&row[0]);
    const auto made = std::ranges::find_if(programs, [&](const storage::ProgramInfo& program) {
      return hash != nullptr && program.hash == *hash;
    });
    if (made == programs.end()) continue;
    std::vector<std::string> files;
    for (const auto& [name, content] : made->files) files.push_back(name);
    block.table.rows.push_back(
        {made->hash, joined(made->command, " "), joined(files, ", "), row[1], row[2], row[3]});
  }
  return block;
}

void add_provenance(storage::Reader& reader, const std::string& of_study,
                    report::PageContent& content) {
  const std::string from = " FROM attempts a JOIN trials t ON t.trial = a.trial WHERE " + of_study;
  Block machines{"Where it ran"};
  machines.table = reader.query(
      "SELECT a.host, a.device, a.threads, a.gang, a.versions, count(*) AS attempts, "
      "min(a.began_at) AS first_began, max(a.ended_at) AS last_ended" +
      from + " GROUP BY a.host, a.device, a.threads, a.gang, a.versions ORDER BY first_began");
  write_out_versions(machines.table, 4);
  machines.notes.push_back(
      "Threads are the CPU threads of an attempt's slots together, gang the number of its slots.");
  Block trials{"Each trial"};
  trials.folded = true;
  trials.table = reader.query(
      "SELECT t.trial, t.stages, t.cell, t.seed, t.state, t.epochs, t.attempts, t.wall_seconds, "
      "t.host, t.device, a.threads, a.slots, a.began_at, a.ended_at, a.resumed_from_epoch "
      "FROM trials t LEFT JOIN attempts a ON a.trial = t.trial AND a.attempt = t.attempts WHERE " +
      of_study + " ORDER BY t.trial");
  cut(trials, "SELECT * FROM trials");
  content.provenance = {std::move(machines), std::move(trials)};
  if (Block programs = program_block(reader, of_study); !programs.table.rows.empty())
    content.provenance.push_back(std::move(programs));
}

}  // namespace

report::PageContent report_content(storage::Reader& reader, const storage::StudyInfo& stored,
                                   const sweeps::Study& study, const std::string& database) {
  const StudyPlan plan = plan_study(study, &reader);
  const std::string of_study = "t.study = '" + study.name + "'";  // the name has no quotes
  report::PageContent content;
  content.study = study.name;
  content.facts = {{"task", study.task.empty() ? "a program of one's own" : study.task},
                   {"seeds", counted(study.seeds.size(), "seed", "seeds") + " a cell"},
                   {"study hash", stored.hash},
                   {"study recorded", stored.recorded_at},
                   {"report made", now_text()},
                   {"database", database},
                   {"windrow", WINDROW_VERSION}};
  add_state(plan, content);
  content.results = result_blocks(reader, study);
  content.importance = importance_blocks(reader, study);
  content.cells = cells_view(reader, study);
  content.findings = finding_blocks(reader, study);
  content.drawings = report::draw_figures(study, reader, plan.expansion.varying);
  add_failures(reader, of_study, content);
  add_provenance(reader, of_study, content);
  content.study_text = stored.text;
  return content;
}

}  // namespace windrow::report
