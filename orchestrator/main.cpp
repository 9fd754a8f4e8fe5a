// windrow: the command line.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "orchestrator/commands/commands.h"
#include "storage/store.h"
#include "sweeps/study.h"

namespace {

using namespace windrow;

constexpr const char* kFooter = R"(Typical use:
  windrow plan study.yaml              what would run, and what is done already
  windrow run study.yaml               run it on this machine; the same command goes on
  mpirun -n 4 windrow run study.yaml   over several ranks; srun on a Slurm cluster
  windrow status                       how far it is; `windrow watch` follows it
  windrow table --format latex         the table for the paper
  windrow report                       one HTML page with tables, figures, provenance

Exit codes: 0 all done; 1 the study ended with failed trials; 2 wrong usage or a bad study file;
3 interrupted with work left (run the same command again); 4 the database can't be used;
5 (of status --exit-code) work is left, but the run was ended by `windrow stop`.)";

int run_command(int argc, char** argv) {
  int exit_code = kUsage;
  CLI::App app{
      "Windrow runs studies: grids of training trials over the GPUs or CPU cores of a "
      "cluster, recorded epoch by epoch in one SQLite file."};
  app.name("windrow");
  app.set_version_flag("--version", WINDROW_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  commands::add_run(app, exit_code);
  commands::add_work(app, exit_code);
  commands::add_submit(app, exit_code);
  commands::add_plan(app, exit_code);
  commands::add_status(app, exit_code);
  commands::add_watch(app, exit_code);
  commands::add_stop(app, exit_code);
  commands::add_cancel(app, exit_code);
  commands::add_show(app, exit_code);
  commands::add_logs(app, exit_code);
  commands::add_table(app, exit_code);
  commands::add_compare(app, exit_code);
  commands::add_findings(app, exit_code);
  commands::add_report(app, exit_code);
  commands::add_export(app, exit_code);
  commands::add_cost(app, exit_code);
  commands::add_verify(app, exit_code);
  commands::add_query(app, exit_code);
  commands::add_redo(app, exit_code);
  commands::add_retry(app, exit_code);
  commands::add_merge(app, exit_code);
  commands::add_schema(app, exit_code);
  commands::add_data(app, exit_code);
  commands::add_doctor(app, exit_code);
  commands::add_selftest(app, exit_code);
  commands::add_drill(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kAllDone : kUsage;
  }
  return exit_code;
}

// What was printed has arrived, or the command has failed: a table cut short must not look whole.
int check_output(int exit_code) {
  errno = 0;
  if (std::cout.flush()) return exit_code;
  if (errno == EPIPE) {  // the pager or `head` has seen enough: end as other programs do
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  std::cerr << "windrow: standard output can't be written"
            << (errno == 0 ? "" : std::string(": ") + std::strerror(errno)) << "\n";
  return exit_code == kAllDone ? kUsage : exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a trainer or a pager that is gone shows as an error of write()
  if (std::error_code gone; std::filesystem::current_path(gone).empty())
    std::cerr
        << "windrow: the folder that it was started in is gone; change to one that is there\n";
  try {
    return check_output(run_command(argc, argv));
  } catch (const sweeps::StudyError& error) {
    std::cerr << error.what() << "\n";
    return kUsage;
  } catch (const storage::StorageError& error) {
    std::cerr << "windrow: " << error.what() << "\n";
    return kDatabase;
  } catch (const std::exception& error) {
    std::cerr << "windrow: " << error.what() << "\n";
    return kUsage;
  }
}
