// windrow report: a study's results as one HTML page, and its figures as files for a paper.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "orchestrator/commands/commands.h"
#include "orchestrator/commands/database_option.h"
#include "orchestrator/control/whole_file.h"
#include "orchestrator/report/page.h"
#include "orchestrator/report/plot_files.h"
#include "orchestrator/report/report_content.h"
#include "orchestrator/results/stored_study.h"

namespace windrow::commands {
namespace {

struct ReportOptions {
  std::string study;
  std::string database = "windrow.db";
  std::filesystem::path output, figures;
  std::string format = "svg";
};

int make_report(const ReportOptions& options) {
  storage::Reader reader(options.database);
  const sweeps::Study study = reported_study(reader, options.database, options.study);
  const storage::StudyInfo stored = stored_study(reader, options.database, study.name);
  const report::PageContent content =
      report::report_content(reader, stored, study, options.database);
  if (!options.figures.empty()) {
    const auto format = options.format == "pdf" ? report::PlotFormat::pdf : report::PlotFormat::svg;
    for (const auto& file : report::write_plots(content.drawings, options.figures, format))
      std::cout << file.string() << "\n";
    for (const report::Drawing& drawing : content.drawings)
      if (!drawing.missing.empty())
        std::cerr << "windrow: figure " << drawing.name << " is not drawn: " << drawing.missing
                  << "\n";
  }
  if (options.output.empty() && !options.figures.empty()) return kAllDone;
  const std::filesystem::path output =
      options.output.empty() ? std::filesystem::path(study.name + ".html") : options.output;
  if (const std::string fault = control::write_whole_file(output, report::report_page(content));
      !fault.empty())
    throw std::runtime_error(fault + "; give another file with -o");
  std::cout << output.string() << "\n";
  if (!content.complete) std::cerr << "windrow: " << content.state << "; the report says which\n";
  return kAllDone;
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* report = app.add_subcommand(
      "report", "A study's results as one HTML page, and its figures as SVG or PDF");
  report->add_option("study", options->study,
                     "its name (default: the only one there), or its file: then tables and figures "
                     "are those that the file has now");
  add_database_option(*report, options->database);
  report->add_option("-o,--output", options->output,
                     "the page (default: STUDY.html; none where --figures is given)");
  CLI::Option* figures = report->add_option(
      "--figures", options->figures, "draw each figure into this folder, by gnuplot, for a paper");
  report->add_option("--format", options->format, "of --figures: svg or pdf")
      ->check(CLI::IsMember({"svg", "pdf"}))
      ->needs(figures)
      ->capture_default_str();
  report->footer(
      "The page opens in any browser, offline; nothing else belongs to it. What is drawn comes "
      "from\n"
      "`report: figures:` in the study file. Of an unfinished study it says what is missing.\n"
      "--figures also writes each figure's numbers (.csv) and gnuplot script (.gp).\n\n"
      "Examples:\n"
      "  windrow report -o p1.html\n"
      "  windrow report p1 --figures paper/figures --format pdf\n"
      "  windrow report p1.yaml                     after editing its figures, without another "
      "run");
  report->callback([options, &exit_code] { exit_code = make_report(*options); });
}

}  // namespace windrow::commands
