// What a trainer's command is made of at this moment.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/origin/code_copy.h"
#include "protocol/messages.h"

namespace windrow::origin {

// Of the command of a study, or of windrow-trainer, `shipped`, whose place doesn't count.
class ProgramWatch {
 public:
  // `folder`: where the command starts, an absolute path.
  ProgramWatch(const protocol::TrainerSettings& trainer, std::filesystem::path folder,
               bool shipped = false);

  // Looks at each file's size and times, and reads those again that differ from the last time.
  const protocol::Program& now();

 private:
  struct Seen {
    std::int64_t size = 0, modified = 0, changed = 0, inode = 0;
    std::string hash;
    bool same_file(const Seen& other) const;
  };
  static Seen look(const std::filesystem::path& file);
  bool changed() const;
  void read();

  protocol::TrainerSettings trainer_;
  std::filesystem::path folder_;
  bool shipped_;
  std::map<std::filesystem::path, Seen> files_;
  protocol::Program program_;
};

}  // namespace windrow::origin
