#include "orchestrator/commands/stored_study.h"

#include <vector>

namespace windrow::commands {

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

}  // namespace windrow::commands
