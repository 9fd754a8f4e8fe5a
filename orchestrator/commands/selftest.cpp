// windrow selftest: does this machine's device compute what the CPU does?
#include <CLI/CLI.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "orchestrator/commands/commands.h"
#include "orchestrator/process/child_process.h"
#include "orchestrator/process/event_loop.h"
#include "orchestrator/session/preflight.h"

namespace windrow::commands {
namespace {

struct SelfTestOptions {
  std::string trainer;
  bool json = false;
};

// What the trainer says of a path: its line of JSON, and whether it is as it should be.
struct Said {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  int ok = 0, wrong = 0, not_tried = 0;
};

void show(const nlohmann::ordered_json& line) {
  if (line.contains("event")) {
    std::cout << "device " << line.value("device", "") << "; the reference is the CPU\n";
    return;
  }
  const std::string verdict = line.at("verdict");
  const bool wrong = verdict == "differs" || verdict == "failed";
  std::cout << std::left << std::setw(11) << (wrong ? "WRONG" : verdict) << std::setw(42)
            << line.at("path").get<std::string>() << line.at("text").get<std::string>()
            << std::endl;
}

void take(const std::string& text, bool json, Said& said) {
  const auto line = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object() || !(line.contains("event") || line.contains("verdict"))) return;
  if (!json) show(line);
  if (line.contains("event")) return;
  const std::string verdict = line.at("verdict");
  ++(verdict == "ok" ? said.ok : verdict == "not tried" ? said.not_tried : said.wrong);
  said.lines.push_back(line);
}

int self_test(const SelfTestOptions& options) {
  const std::string program = trainer_program(options.trainer);
  Said said;
  EventLoop loop;
  GuardPool guards(loop);
  ChildProcess process(
      guards, {{program, "--selftest"}, {}},
      {.on_stdout = [&](std::string_view line) { take(std::string(line), options.json, said); }});
  std::optional<ChildExit> exit;
  while (!exit) {
    loop.run_once(std::chrono::milliseconds(200));
    exit = process.poll_exit();
  }
  if (options.json) std::cout << said.lines.dump(2) << "\n";
  if (said.ok + said.wrong == 0) {
    std::cerr << "windrow: " << program << " --selftest said nothing: " << exit->describe()
              << "\n  name windrow-trainer with --trainer or WINDROW_TRAINER; `windrow doctor` "
                 "tells whether it starts\n"
              << process.stderr_tail();
    return kUsage;
  }
  if (!options.json)
    std::cout << said.ok << " as they should be, " << said.wrong << " wrong, " << said.not_tried
              << " not tried\n";
  if (said.wrong == 0 && exit->code != 0) {
    std::cerr << "windrow: the trainer ended with " << exit->describe() << " on the way\n"
              << process.stderr_tail();
    return kSomeFailed;
  }
  return said.wrong == 0 ? kAllDone : kSomeFailed;
}

}  // namespace

void add_selftest(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SelfTestOptions>();
  CLI::App* command = app.add_subcommand(
      "selftest", "Check that this machine's GPUs compute what the CPU does, path by path");
  command->add_option("--trainer", options->trainer, "path of windrow-trainer");
  command->add_flag("--json", options->json, "an array of {path, verdict, text}");
  command->footer(
      "Models forward and back, optimizers, dropout's masks, augmentation, precisions, trials "
      "twice\n"
      "and resumed, a gang of all visible GPUs against one. A line for each path: ok, WRONG, or "
      "not\n"
      "tried and why. Without a GPU the paths that the CPU has are tried. Takes about a minute.\n"
      "Exit code 0: none is wrong; 1: at least one.\n\n"
      "Examples:\n"
      "  windrow selftest\n"
      "  srun --gpus 2 windrow selftest --json");
  command->callback([options, &exit_code] { exit_code = self_test(*options); });
}

}  // namespace windrow::commands
