#include "orchestrator/report/page.h"

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "orchestrator/report/drawing_tables.h"
#include "orchestrator/report/html.h"
#include "orchestrator/report/page_files.h"
#include "orchestrator/report/palette.h"

namespace windrow::report {
namespace {

std::string notes_html(const std::vector<std::string>& notes) {
  std::string html;
  for (const std::string& note : notes) html += "<p class=\"note\">" + escaped(note) + "</p>\n";
  return html;
}

std::string block_html(const Block& block) {
  const std::string body =
      (block.table.columns.empty() ? "" : table_html(block.table, block.emphasized)) +
      notes_html(block.notes);
  if (block.folded)
    return "<details><summary>" + escaped(block.heading) + "</summary>\n" + body + "</details>\n";
  return (block.heading.empty() ? "" : "<h3>" + escaped(block.heading) + "</h3>\n") + body;
}

std::string section_html(const std::string& id, const std::string& heading,
                         const std::string& body) {
  if (body.empty()) return "";
  return "<section id=\"" + id + "\">\n<h2>" + escaped(heading) + "</h2>\n" + body + "</section>\n";
}

std::string blocks_html(const std::vector<Block>& blocks) {
  std::string html;
  for (const Block& block : blocks) html += block_html(block);
  return html;
}

std::string state_html(const PageContent& content) {
  std::string html = std::string("<p class=\"state ") +
                     (content.complete ? "complete" : "partial") + "\" id=\"state\">" +
                     escaped(content.state) + "</p>\n";
  if (content.missing.empty()) return html;
  html +=
      "<div class=\"missing\" id=\"missing\"><p>The study has not all of its results. Missing "
      "are:</p>\n<ul>\n";
  for (const std::string& line : content.missing) html += "<li>" + escaped(line) + "</li>\n";
  return html + "</ul></div>\n";
}

std::string facts_html(const PageContent& content) {
  std::string html = "<dl class=\"facts\">\n";
  for (const auto& [name, value] : content.facts)
    html += "<div><dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd></div>\n";
  return html + "</dl>\n";
}

// The picture, and its numbers for those who can't see it.
std::string picture_html(const Drawing& drawing, std::size_t chart) {
  if (const auto* map = std::get_if<HeatMap>(&drawing.content))
    return heat_map_html(*map, drawing.x_label, drawing.y_label) +
           "<p class=\"note\">The darker a cell, the larger its share of the row.</p>\n";
  return "<div class=\"chart\"><canvas role=\"img\" data-chart=\"" + std::to_string(chart) +
         "\" aria-label=\"" + escaped(drawing.title) + "\"></canvas></div>\n" +
         "<details><summary>Numbers</summary>\n" + table_html(overview(drawing)) + "</details>\n";
}

std::string figures_html(const std::vector<Drawing>& drawings, nlohmann::json& charts) {
  std::string html;
  for (const Drawing& drawing : drawings) {
    html += "<figure id=\"figure-" + escaped(drawing.name) + "\">\n<figcaption>" +
            escaped(drawing.title) + "</figcaption>\n";
    if (!drawing.missing.empty()) {
      html += "<p class=\"note\">Nothing to draw: " + escaped(drawing.missing) + ".</p>\n";
    } else {
      html += picture_html(drawing, charts.size());
      if (!std::holds_alternative<HeatMap>(drawing.content)) charts.push_back(chart_json(drawing));
    }
    html += notes_html(drawing.notes) + "</figure>\n";
  }
  return html;
}

std::string cells_html(const nlohmann::json& cells) {
  const auto left_out = cells.at("left_out").get<std::size_t>();
  return "<p><label>Filter <input type=\"search\" placeholder=\"optimizer=adam lr&lt;0.01\" "
         "spellcheck=\"false\"></label> <span class=\"count\"></span></p>\n"
         "<div class=\"parallel\"></div>\n<p class=\"note said\"></p>\n"
         "<p class=\"note\">A line is a cell with the means of its finished trials, the bluer the "
         "better on the last axis. Drag along an axis to keep the cells that pass there, click on "
         "it "
         "to let go. The filter holds for the tables of results too: words such as "
         "<code>name=value</code>, <code>name&lt;number</code>, or any text." +
         (left_out > 0 ? " " + std::to_string(left_out) + " more cells are not drawn." : "") +
         "</p>\n";
}

// Puts each {{name}} of the template's in its place. What is put in is not looked at again, so that
// no text of a study can name a place.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string out;
  while (true) {
    const std::size_t begin = page.find("{{");
    out += page.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = page.find("}}", begin);
    const auto part = parts.find(page.substr(begin + 2, end - begin - 2));
    if (end == std::string_view::npos || part == parts.end())
      throw std::logic_error("page.html names an unknown part");
    out += part->second;
    page.remove_prefix(end + 2);
  }
}

}  // namespace

std::string report_page(const PageContent& content) {
  nlohmann::json charts = nlohmann::json::array();
  std::string body =
      section_html("results", "Results", blocks_html(content.results)) +
      section_html("importance", "Importance", blocks_html(content.importance)) +
      section_html("cells", "Cells", content.cells.is_null() ? "" : cells_html(content.cells)) +
      section_html("findings", "Findings", blocks_html(content.findings)) +
      section_html("figures", "Figures", figures_html(content.drawings, charts)) +
      section_html("failures", "Failures", blocks_html(content.failures)) +
      section_html("provenance", "Provenance", blocks_html(content.provenance)) +
      section_html("study", "The study",
                   "<details><summary>The study file as it was run</summary>\n<pre>" +
                       escaped(content.study_text) + "</pre></details>\n");
  const nlohmann::json data = {{"colours", kPalette}, {"charts", charts}, {"cells", content.cells}};
  return filled(
      page_files::page_html,
      {{"title", escaped(content.study)},
       {"css", std::string(page_files::page_css)},
       {"version", WINDROW_VERSION},
       {"reload", content.reload_seconds > 0 ? "<meta http-equiv=\"refresh\" content=\"" +
                                                   std::to_string(content.reload_seconds) + "\">\n"
                                             : ""},
       {"header", facts_html(content) + state_html(content)},
       {"body", body},
       {"data", inside_script(data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))},
       {"chart_licence", std::string(page_files::chart_licence)},
       {"chart", std::string(page_files::chart_js)},
       {"script", std::string(page_files::page_js)},
       {"cells_script", std::string(page_files::cells_js)}});
}

}  // namespace windrow::report
