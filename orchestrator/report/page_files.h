// The files of page/ and the charting library, which CMake puts into the program.
#pragma once

#include <string_view>

namespace windrow::report::page_files {

extern const std::string_view page_html;
extern const std::string_view page_css;
extern const std::string_view page_js;
extern const std::string_view cells_js;
extern const std::string_view chart_js;       // Chart.js 3, minified
extern const std::string_view chart_licence;  // its licence, as a comment of JavaScript

}  // namespace windrow::report::page_files
