// What others may see of a run and ask of it, and where workers find it: rank 0's files beside the
// database, there while the run is.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "orchestrator/control/requests.h"
#include "orchestrator/control/snapshot.h"
#include "orchestrator/coordinator/coordinator.h"
#include "orchestrator/transport/door.h"

namespace windrow {

class PublicSide {
 public:
  // The study and the coordinator must outlive it.
  PublicSide(std::filesystem::path database, const sweeps::Study& study, Coordinator& coordinator,
             Coordinator::LogLine log);
  ~PublicSide();  // removes the files
  PublicSide(const PublicSide&) = delete;
  PublicSide& operator=(const PublicSide&) = delete;

  // From now on workers find the way in. Throws std::runtime_error.
  std::unique_ptr<Door> open_to_workers(int port);

  void tick(Clock::time_point now);  // several times a second

  // Trial that the database has, in words; "" = none yet.
  std::string best() { return publisher_.best(); }

 private:
  std::string answer(const control::Request& request);

  std::filesystem::path database_, door_file_;  // "" = nobody may join
  Coordinator& coordinator_;
  Coordinator::LogLine log_;
  control::Publisher publisher_;
  control::Inbox inbox_;
  Clock::time_point next_poll_{};
};

}  // namespace windrow
