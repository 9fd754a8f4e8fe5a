// windrow schema: the study file's JSON Schema, for editors.
#include <CLI/CLI.hpp>
#include <iostream>

#include "orchestrator/commands/commands.h"
#include "sweeps/study.h"

namespace windrow::commands {

void add_schema(CLI::App& app, int& exit_code) {
  CLI::App* schema = app.add_subcommand(
      "schema", "Print the JSON Schema of a study file, for completion in an editor");
  schema->footer(
      "Example:\n"
      "  windrow schema > study.schema.json\n"
      "and as the first line of a study file, for editors with the YAML language server:\n"
      "  # yaml-language-server: $schema=study.schema.json");
  schema->callback([&exit_code] {
    std::cout << sweeps::study_schema().dump(2) << "\n";
    exit_code = kAllDone;
  });
}

}  // namespace windrow::commands
