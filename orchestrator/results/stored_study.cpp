#include "orchestrator/results/stored_study.h"

#include <optional>
#include <vector>

namespace windrow {

storage::StudyInfo stored_study(storage::Reader& reader, const std::string& database,
                                const std::string& name) {
  const std::vector<storage::StudyInfo> studies = reader.studies();
  std::string names;
  for (const storage::StudyInfo& study : studies) {
    if (study.name == name || (name.empty() && studies.size() == 1)) return study;
    names += (names.empty() ? "" : ", ") + study.name;
  }
  if (studies.empty())
    throw storage::StorageError(database +
                                " holds no study yet; begin one with `windrow run STUDY.yaml`");
  if (name.empty())
    throw storage::StorageError(database + " holds several studies; name one of " + names);
  throw storage::StorageError(database + " holds no study \"" + name + "\"; it holds " + names);
}

bool is_study_file(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.find('/') != std::string::npos;
}

sweeps::Study reported_study(storage::Reader& reader, const std::string& database,
                             const std::string& name) {
  std::optional<sweeps::Study> file;
  if (is_study_file(name)) file = sweeps::load_study(name);
  const storage::StudyInfo stored = stored_study(reader, database, file ? file->name : name);
  sweeps::Study study = sweeps::parse_study(stored.text, database + " (study " + stored.name + ")");
  if (file) study.report = file->report;
  return study;
}

}  // namespace windrow
