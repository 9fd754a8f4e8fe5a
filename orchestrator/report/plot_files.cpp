#include "orchestrator/report/plot_files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "orchestrator/process/program.h"
#include "orchestrator/report/drawing_tables.h"
#include "storage/table_format.h"

namespace windrow::report {
namespace {

constexpr const char* kRemedy =
    "gnuplot draws the figures: install it (Debian: apt-get install gnuplot-nox), or leave "
    "--figures out";

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw std::runtime_error(file.string() + ": can't be written: " + std::strerror(errno) +
                             "; give another folder with --figures");
}

}  // namespace

std::vector<std::filesystem::path> write_plots(const std::vector<Drawing>& drawings,
                                               const std::filesystem::path& folder,
                                               PlotFormat format) {
  if (!find_program("gnuplot"))
    throw std::runtime_error(std::string("there is no gnuplot in PATH; ") + kRemedy);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw std::runtime_error(folder.string() + ": can't be made: " + error.message() +
                             "; give another folder with --figures");
  std::vector<std::filesystem::path> written;
  for (const Drawing& drawing : drawings) {
    if (!drawing.missing.empty()) continue;
    const std::string script = drawing.name + ".gp";
    write_file(folder / (drawing.name + ".csv"),
               storage::format_table(all_points(drawing), storage::TableStyle::csv));
    write_file(folder / script, gnuplot_script(drawing, format));
    const auto result = run_program({"gnuplot", script}, kRemedy, folder);
    if (result.exit_code != 0)
      throw std::runtime_error("gnuplot failed with exit code " + std::to_string(result.exit_code) +
                               " on " + (folder / script).string() + "; its message is above");
    written.push_back(folder / (drawing.name + (format == PlotFormat::svg ? ".svg" : ".pdf")));
  }
  return written;
}

}  // namespace windrow::report
