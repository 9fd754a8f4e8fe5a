// Names of trials' folders of checkpoints.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "protocol/ids.h"

namespace windrow {

// Trials are numbered in each database: a folder that several share is divided by their ids.
inline std::filesystem::path checkpoint_root(const std::filesystem::path& folder,
                                             const std::string& database_id) {
  return folder / database_id;
}

// What is trained anew must not find what it had before: `redone` tells how often it was.
inline std::string trial_folder(TrialId trial, int redone) {
  return "trial-" + std::to_string(trial.value) +
         (redone > 0 ? "-anew-" + std::to_string(redone) : "");
}

struct TrialFolder {
  TrialId trial;
  int redone = 0;
};

// nullopt: no trial's folder is named so.
inline std::optional<TrialFolder> trial_of_folder(const std::string& name) {
  TrialFolder folder;
  char* end = nullptr;
  if (!name.starts_with("trial-")) return std::nullopt;
  folder.trial.value = std::strtoll(name.c_str() + 6, &end, 10);
  if (std::string(end).starts_with("-anew-"))
    folder.redone = static_cast<int>(std::strtol(end + 6, nullptr, 10));
  if (name != trial_folder(folder.trial, folder.redone)) return std::nullopt;
  return folder;
}

}  // namespace windrow
