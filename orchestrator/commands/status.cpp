// windrow status: how far the studies of a database are.
#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/results/planned_trials.h"
#include "storage/reader.h"
#include "storage/table_format.h"

namespace windrow::commands {
namespace {

using nlohmann::ordered_json;
using storage::ResultTable;
using storage::StateCounts;

struct StatusOptions {
  std::string database = "windrow.db";
  bool json = false;
};

constexpr const char* kRunning =
    "SELECT study, trial, seed, epochs, host, device, stages, cell FROM trials "
    "WHERE state = 'running' ORDER BY trial";
constexpr const char* kFailures =
    "SELECT t.study, f.kind, count(*) AS attempts, count(DISTINCT f.trial) AS trials, "
    "count(DISTINCT f.host) AS hosts, max(f.message) AS example FROM failures f "
    "JOIN trials t ON t.trial = f.trial WHERE f.kind <> 'preempted' "
    "GROUP BY t.study, f.kind ORDER BY attempts DESC";

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
    for (const auto& [stage, state] : plan_study(study, &reader).expansion.stages)
      if (!state.reason.empty()) reasons[stage] = state.reason;
  } catch (const sweeps::StudyError&) {
    // Of a version of Windrow with other tasks: its counts are all that can be told.
  }
  return reasons;
}

void print_text(storage::Reader& reader, const std::string& database) {
  const auto studies = reader.studies();
  if (studies.empty()) std::cout << database << " holds no study yet\n";
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
  if (const auto who = reader.coordinator()) std::cout << to_text(*who) << "\n";
  const auto section = [](const char* heading, const ResultTable& table) {
    if (!table.rows.empty())
      std::cout << "\n"
                << heading << "\n"
                << storage::format_table(table, storage::TableStyle::text);
  };
  if (studies.empty()) return;
  section("running", reader.query(kRunning));
  section("failures (windrow show TRIAL tells more)", reader.query(kFailures));
}

void print_json(storage::Reader& reader) {
  const auto rows = [&](const char* sql) {
    return ordered_json::parse(storage::format_table(reader.query(sql), storage::TableStyle::json));
  };
  ordered_json studies = ordered_json::array();
  for (const storage::StudyInfo& study : reader.studies()) {
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
                            {"running", any ? rows(kRunning) : ordered_json::array()},
                            {"failures", any ? rows(kFailures) : ordered_json::array()}}
                   .dump(2)
            << "\n";
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* status = app.add_subcommand(
      "status", "How far the studies of a database are, who runs them, and what failed");
  status->add_option("--db", options->database, "database file")
      ->envname("WINDROW_DB")
      ->capture_default_str();
  status->add_flag("--json", options->json, "one JSON object");
  status->footer(
      "It only reads: safe on any host that sees the file, also while a run writes.\n\n"
      "Examples:\n"
      "  windrow status\n"
      "  windrow status --db /scratch/me/p1.db --json | jq '.studies[0].trials'");
  status->callback([options, &exit_code] {
    storage::Reader reader(options->database);
    if (options->json)
      print_json(reader);
    else
      print_text(reader, options->database);
    exit_code = kAllDone;
  });
}

}  // namespace windrow::commands
