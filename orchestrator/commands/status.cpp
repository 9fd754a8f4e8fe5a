// windrow status: how far the studies of a database are.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/commands/snapshot_text.h"
#include "orchestrator/control/snapshot.h"
#include "orchestrator/results/planned_trials.h"
#include "orchestrator/results/stored_study.h"
#include "storage/reader.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using nlohmann::ordered_json;
using storage::ResultTable;
using storage::StateCounts;

struct StatusOptions {
  std::string database = "windrow.db";
  std::string study;  // name or YAML file; "" = all that are in the database
  bool json = false;
  bool exit_code = false;
};

ordered_json to_json(const StateCounts& counts) {
  return {{"pending", counts.pending},
          {"running", counts.running},
          {"finished", counts.finished},
          {"failed", counts.failed}};
}

std::string to_text(const StateCounts& counts) {
  std::string text =
      std::to_string(counts.finished) + " of " + std::to_string(counts.total()) + " finished";
  const auto add = [&](std::int64_t number, const char* what) {
    if (number > 0) text += ", " + std::to_string(number) + " " + what;
  };
  add(counts.failed, "failed");
  add(counts.running, "running");
  add(counts.pending, "pending");
  return text;
}

std::string to_text(const storage::CoordinatorInfo& who) {
  std::string text =
      "written by pid " + std::to_string(who.pid) + " on " + who.host + " since " + who.since;
  if (!who.alive) return text + "; that process is gone: run the same command again to go on";
  return text + ", last sign of life " + std::to_string(std::lround(who.heartbeat_seconds)) +
         " s ago";
}

// Stages that wait, can't be expanded or select fewer cells than wanted, with the reason.
std::map<std::string, std::string> stage_reasons(storage::Reader& reader,
                                                 const storage::StudyInfo& info) {
  std::map<std::string, std::string> reasons;
  try {
    const sweeps::Study study = sweeps::parse_study(info.text, info.name);
    const auto selects = [](const sweeps::Stage& stage) { return stage.best.has_value(); };
    if (std::ranges::none_of(study.stages, selects)) return {};
    for (const auto& [stage, state] : plan_study(study, &reader).expansion.stages)
      if (!state.reason.empty()) reasons[stage] = state.reason;
  } catch (const sweeps::StudyError&) {
    // Of a version of Windrow with other tasks: its counts are all that can be told.
  }
  return reasons;
}

std::vector<storage::StudyInfo> wanted_studies(storage::Reader& reader,
                                               const StatusOptions& options) {
  if (options.study.empty()) return reader.studies();
  const std::string name =
      is_study_file(options.study) ? sweeps::load_study(options.study).name : options.study;
  return {stored_study(reader, options.database, name)};
}

// Rows, which begin with a study's name, of these studies.
ResultTable of_studies(ResultTable table, const std::vector<storage::StudyInfo>& studies) {
  std::erase_if(table.rows, [&](const auto& row) {
    return std::ranges::find(studies, std::get<std::string>(row[0]), &storage::StudyInfo::name) ==
           studies.end();
  });
  return table;
}

void print_text(storage::Reader& reader, const StatusOptions& options) {
  const auto studies = wanted_studies(reader, options);
  if (studies.empty()) std::cout << options.database << " holds no study yet\n";
  for (const storage::StudyInfo& study : studies) {
    std::cout << study.name << ": " << to_text(reader.counts(study.name)) << "\n";
    const auto stages = reader.counts_by_stage(study.name);
    if (stages.size() > 1)
      for (const StateCounts& stage : stages)
        std::cout << "  " << (stage.stage.empty() ? "no longer in the study" : stage.stage) << ": "
                  << to_text(stage) << "\n";
    for (const auto& [stage, reason] : stage_reasons(reader, study))
      std::cout << "  " << stage << ": " << reason << "\n";
  }
  const auto who = reader.coordinator();
  const ResultTable running = of_studies(reader.running(), studies);
  if (who)
    std::cout << to_text(*who) << "\n";
  else if (!running.rows.empty())
    std::cout << "no run works on this copy: what was running when it was made is pending here\n";
  const auto section = [](const char* heading, const ResultTable& table) {
    if (!table.rows.empty())
      std::cout << "\n"
                << heading << "\n"
                << storage::format_table(table, storage::TableStyle::text);
  };
  if (studies.empty()) return;
  if (who) section("running", running);
  section("failures (windrow show TRIAL tells more)", of_studies(reader.failures(), studies));
}

void print_json(storage::Reader& reader, const StatusOptions& options) {
  const auto infos = wanted_studies(reader, options);
  const auto rows = [&](ResultTable table) {
    return ordered_json::parse(
        storage::format_table(of_studies(std::move(table), infos), storage::TableStyle::json));
  };
  ordered_json studies = ordered_json::array();
  for (const storage::StudyInfo& study : infos) {
    ordered_json stages = ordered_json::object();
    for (const StateCounts& stage : reader.counts_by_stage(study.name))
      stages[stage.stage] = to_json(stage);
    studies.push_back({{"study", study.name},
                       {"hash", study.hash},
                       {"trials", to_json(reader.counts(study.name))},
                       {"stages", stages},
                       {"stage_reasons", stage_reasons(reader, study)}});
  }
  ordered_json coordinator;
  if (const auto who = reader.coordinator())
    coordinator = {{"host", who->host},
                   {"pid", who->pid},
                   {"since", who->since},
                   {"heartbeat_seconds", who->heartbeat_seconds},
                   {"alive", who->alive}};
  const bool any = !studies.empty();
  std::cout << ordered_json{{"studies", studies},
                            {"coordinator", coordinator},
                            {"running", any ? rows(reader.running()) : ordered_json::array()},
                            {"failures", any ? rows(reader.failures()) : ordered_json::array()}}
                   .dump(2)
            << "\n";
}

// What a batch script asks: launchers' exit codes can't be trusted, the database's rows can.
int work_left(storage::Reader& reader, const StatusOptions& options) {
  if (is_study_file(options.study)) {  // its run may have been cut down before it began
    const auto stored = reader.studies();
    const std::string name = sweeps::load_study(options.study).name;
    if (std::ranges::find(stored, name, &storage::StudyInfo::name) == stored.end())
      return kInterrupted;
  }
  std::vector<sweeps::Study> studies;
  for (const storage::StudyInfo& info : wanted_studies(reader, options))
    studies.push_back(sweeps::parse_study(info.text, info.name));
  if (studies.empty()) return kInterrupted;
  int code = kAllDone;
  for (const sweeps::Study& study : studies) {
    const StudyPlan plan = plan_study(study, &reader);
    if (!plan.to_run.empty()) return reader.stopped_by().empty() ? kInterrupted : kStopped;
    const bool failed =
        std::ranges::any_of(plan.cells, [](const PlannedCell& cell) { return cell.failed > 0; });
    const bool short_of_cells = std::ranges::any_of(
        plan.expansion.stages, [](const auto& stage) { return !stage.second.reason.empty(); });
    if (failed || short_of_cells) code = kSomeFailed;
  }
  return code;
}

// Where the database can't be read from here, what its run publishes. False: nothing.
bool print_snapshot(const std::string& database) {
  const auto snapshot = control::read_snapshot(control::snapshot_file(database));
  if (!snapshot) return false;
  for (const std::string& line : snapshot_lines(*snapshot)) std::cout << line << "\n";
  return true;
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* status = app.add_subcommand(
      "status", "How far the studies of a database are, who runs them, and what failed");
  add_database_option(*status, options->database);
  status->add_option(
      "study", options->study,
      "a study's name, or its YAML file (default: all studies); the database's text of "
      "it counts, with the --set of its last run");
  status->add_flag("--json", options->json, "one JSON object");
  status->add_flag(
      "--exit-code", options->exit_code,
      "print nothing; the exit code says whether work is left: 0 all trials finished, "
      "1 all are over and some failed, 3 work is left (all of it, where the database has "
      "nothing of a YAML file's study yet), 4 no such database, 5 work is left "
      "but the run was ended by `windrow stop`");
  status->footer(
      "It only reads: safe on any host that sees the file, also while a run writes.\n\n"
      "Examples:\n"
      "  windrow status\n"
      "  windrow status study.yaml --exit-code; [ $? -eq 3 ] && echo 'work is left'\n"
      "  windrow status --db /scratch/me/p1.db --json | jq '.studies[0].trials'");
  status->callback([options, &exit_code] {
    std::optional<storage::Reader> opened;
    try {
      opened.emplace(options->database);
    } catch (const storage::StorageError&) {
      if (options->exit_code || options->json || !print_snapshot(options->database)) throw;
      exit_code = kAllDone;
      return;
    }
    storage::Reader& reader = *opened;
    if (options->exit_code) {
      exit_code = work_left(reader, *options);
      return;
    }
    if (options->json)
      print_json(reader, *options);
    else
      print_text(reader, *options);
    exit_code = kAllDone;
  });
}

}  // namespace windrow::commands
