// Trials that a command is about: by number, or by a condition on the view `trials`.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/results/stored_study.h"
#include "protocol/ids.h"
#include "storage/quote.h"
#include "storage/reader.h"

namespace windrow::commands {

struct TrialChoice {
  std::vector<std::int64_t> trials;
  std::string where, study;
};

inline void add_trial_choice(CLI::App& command, TrialChoice& choice) {
  auto* trials = command.add_option("trials", choice.trials, "their numbers");
  command
      .add_option("--where", choice.where,
                  "instead: those for which this SQL holds, over the columns of the view `trials`")
      ->excludes(trials);
  command.add_option("--study", choice.study,
                     "of which study, with --where (default: the only one there)");
}

// Numbers and states. Throws std::runtime_error where a number is no trial's, CLI::RequiredError
// where there is neither.
inline std::vector<std::pair<TrialId, std::string>> chosen_trials(storage::Reader& reader,
                                                                  const std::string& database,
                                                                  TrialChoice choice) {
  if (choice.trials.empty() && choice.where.empty())
    throw CLI::RequiredError("trial numbers or --where");
  std::sort(choice.trials.begin(), choice.trials.end());
  choice.trials.erase(std::unique(choice.trials.begin(), choice.trials.end()), choice.trials.end());
  std::string sql = "SELECT trial, state FROM trials WHERE ";
  if (!choice.where.empty()) {
    const std::string study = stored_study(reader, database, choice.study).name;
    sql += "study = " + storage::quote_text(study) + " AND (" + choice.where + "\n)";
  } else {
    std::string list;
    for (const std::int64_t trial : choice.trials)
      list += (list.empty() ? "" : ", ") + std::to_string(trial);
    sql += "trial IN (" + list + ")";
  }
  const storage::ResultTable found = reader.query(sql);
  if (choice.where.empty() && found.rows.size() < choice.trials.size())
    throw std::runtime_error(
        "not all of these are trials; `windrow query \"SELECT trial, state "
        "FROM trials\"` lists them");
  std::vector<std::pair<TrialId, std::string>> chosen;
  for (const auto& row : found.rows)
    chosen.emplace_back(TrialId{std::get<std::int64_t>(row[0])}, std::get<std::string>(row[1]));
  return chosen;
}

}  // namespace windrow::commands
