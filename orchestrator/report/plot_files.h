// Figures for a paper: gnuplot draws each drawing into a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "orchestrator/report/drawing.h"

namespace windrow::report {

enum class PlotFormat { svg, pdf };

// The gnuplot script that draws it into "NAME.svg" or "NAME.pdf" of the working folder. The data
// are in it, so that it runs by itself; no text of the drawing is taken for gnuplot's language.
std::string gnuplot_script(const Drawing& drawing, PlotFormat format);

// Writes NAME.gp, NAME.csv (every point) and the picture of each drawing that has data into
// `folder`, which is made where it is missing. Returns the pictures' paths. Throws
// std::runtime_error: gnuplot is missing (the message names the package), or fails; the folder
// can't be written.
std::vector<std::filesystem::path> write_plots(const std::vector<Drawing>& drawings,
                                               const std::filesystem::path& folder,
                                               PlotFormat format);

}  // namespace windrow::report
