// One trainer after the other, guarded: see docs/design.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/guard/attempt_lock.h"
#include "orchestrator/guard/guard_protocol.h"
#include "orchestrator/guard/launch.h"

namespace windrow::guard {

// Serves the agent at the other end of `socket` until that is closed and nothing is left of what
// was started for it. This process must be a subreaper and have SIGCHLD blocked.
class Guard {
 public:
  explicit Guard(int socket);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  void serve();

 private:
  static constexpr int kNever = -1;
  struct Message {
    Header header;
    std::string text;
    std::array<int, 4> files{-1, -1, -1, -1};
  };

  bool receive(Message& message);
  void receive_all();
  void serve_once();
  void on_request(Message& message);
  void on_run(Message& message);
  void on_signal(int number);
  void reap();
  void try_lock();
  void start_pending();
  void drop_pending();
  void end_all(bool no_child_left);
  void report(Report kind, int value = 0, std::string text = "");
  void send_reports();

  int socket_;
  int child_signals_;
  bool agent_lives_ = true;
  std::vector<Message> reports_;  // to be sent together: each that is sent alone wakes the agent
  AttemptLock lock_;
  int kept_ = -1;
  std::string wanted_lock_;  // its file, while it is waited for
  int wanted_record_ = 0;
  bool told_busy_ = false;
  std::optional<Launch> pending_;  // waits for its lock
  std::array<int, 3> pending_files_{-1, -1, -1};
  pid_t trainer_ = 0;
  bool running_ = false;   // from a run until all is gone
  bool ending_ = false;    // whatever still runs is to be killed
  bool over_ = false;      // the agent and all that was started for it are gone
  int again_ms_ = kNever;  // until what gives no sign (a lock, the dying) is looked at again
};

}  // namespace windrow::guard
