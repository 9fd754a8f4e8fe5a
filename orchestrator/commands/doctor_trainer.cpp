#include <chrono>
#include <optional>
#include <system_error>

#include "orchestrator/commands/doctor_checks.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "protocol/lines.h"

namespace windrow::commands {
namespace {

constexpr const char* kTrainerCheck = "trainer";
constexpr const char* kStartRemedy =
    "build it (scripts/setup), or name it with --trainer or WINDROW_TRAINER";

std::string describe(const protocol::Ready& ready) {
  std::string text = "device " + ready.device;
  for (const auto& [name, version] : ready.versions.items())
    text += ", " + name + " " + (version.is_string() ? version.get<std::string>() : version.dump());
  if (!ready.tasks.empty()) text += "; tasks";
  for (std::size_t i = 0; i < ready.tasks.size(); ++i) text += (i ? ", " : " ") + ready.tasks[i];
  return text;
}

// The last line that it wrote on stderr, for people; "" where there is none.
std::string last_words(const ChildProcess& process) {
  std::string tail = process.stderr_tail();
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == '\r')) tail.pop_back();
  const std::size_t line = tail.rfind('\n');
  if (line != std::string::npos) tail.erase(0, line + 1);
  return tail.empty() ? "" : ": " + tail;
}

Finding fault(const std::string& message, const std::string& remedy) {
  return {Health::fault, kTrainerCheck, message, remedy};
}

Finding start_and_listen(const std::string& program, double ready_seconds) {
  using Seconds = std::chrono::duration<double>;
  std::optional<protocol::Ready> ready;
  std::string garbled;
  EventLoop loop;
  GuardPool guards(loop);
  ChildProcess process(guards, {{program}, {}}, {.on_stdout = [&](std::string_view line) {
                         try {
                           if (const auto message = protocol::parse_from_trainer(line))
                             if (const auto* hello = std::get_if<protocol::Ready>(&*message))
                               ready = *hello;
                         } catch (const protocol::ProtocolError& error) {
                           garbled = error.what();
                         }
                       }});
  const auto began = Clock::now();
  const auto deadline = began + std::chrono::duration_cast<Clock::duration>(Seconds(ready_seconds));
  std::optional<ChildExit> exit;
  while (!ready && garbled.empty() && !exit && Clock::now() < deadline) {
    loop.run_once(deadline - Clock::now());
    exit = process.poll_exit();
  }
  if (!garbled.empty())
    return fault(program + " does not speak windrow's line protocol: " + garbled,
                 "name windrow-trainer with --trainer or WINDROW_TRAINER");
  if (!ready && exit && !exit->fault.empty()) return fault(exit->fault, kStartRemedy);
  if (!ready && exit)
    return fault(
        program + " ended with " + exit->describe() + " before it was ready" + last_words(process),
        "start it by hand to see why; its libraries may be missing (scripts/setup)");
  if (!ready)
    return fault(program + " did not say ready within " + nlohmann::json(ready_seconds).dump() +
                     " s" + last_words(process),
                 "name windrow-trainer with --trainer; a slow file system needs a longer "
                 "--ready-seconds");
  const double seconds = Seconds(Clock::now() - began).count();
  process.close_stdin();
  const auto patience = Clock::now() + std::chrono::seconds(5);
  while (!exit && Clock::now() < patience) {
    loop.run_once(patience - Clock::now());
    exit = process.poll_exit();
  }
  const std::string text = program + ": " + describe(*ready) + "; ready after " +
                           std::to_string(static_cast<int>(seconds * 1000)) + " ms";
  if (!exit)
    return {Health::warning, kTrainerCheck, text + "; it did not leave when its stdin was closed",
            "a run ends it with SIGKILL; a trainer should leave at the end of its input"};
  return {Health::ok, kTrainerCheck, text, ""};
}

}  // namespace

Findings check_trainer(const std::string& program, double ready_seconds) {
  try {
    return {start_and_listen(program, ready_seconds)};
  } catch (const std::system_error& error) {
    return {fault(error.what(), "install windrow anew, all of it; or raise ulimit -n")};
  }
}

}  // namespace windrow::commands
