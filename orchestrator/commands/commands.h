// The subcommands of `windrow`, one file each. Each adds itself to the command line and, when
// chosen, leaves its exit code in `exit_code`.
#pragma once

#include "orchestrator/exit_codes.h"

namespace CLI {
class App;
}

namespace windrow::commands {

void add_run(CLI::App& app, int& exit_code);  // run and resume
void add_plan(CLI::App& app, int& exit_code);
void add_status(CLI::App& app, int& exit_code);
void add_show(CLI::App& app, int& exit_code);
void add_table(CLI::App& app, int& exit_code);
void add_findings(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_query(CLI::App& app, int& exit_code);
void add_schema(CLI::App& app, int& exit_code);
void add_redo(CLI::App& app, int& exit_code);
void add_retry(CLI::App& app, int& exit_code);
void add_compare(CLI::App& app, int& exit_code);
void add_cost(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_verify(CLI::App& app, int& exit_code);
void add_data(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_selftest(CLI::App& app, int& exit_code);
void add_drill(CLI::App& app, int& exit_code);  // and the trainer of its study
void add_submit(CLI::App& app, int& exit_code);
void add_work(CLI::App& app, int& exit_code);
void add_merge(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_logs(CLI::App& app, int& exit_code);
void add_stop(CLI::App& app, int& exit_code);
void add_cancel(CLI::App& app, int& exit_code);

}  // namespace windrow::commands
