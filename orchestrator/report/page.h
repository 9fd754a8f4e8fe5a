// A study's report as one HTML page that needs nothing else: the charting library is in it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "orchestrator/report/drawing.h"
#include "orchestrator/report/html.h"
#include "storage/result_table.h"

namespace windrow::report {

struct Block {  // a table with what is to be said of it
  std::string heading;
  std::vector<std::string> notes;
  storage::ResultTable table;  // without columns: none
  bool folded = false;         // shown when the reader asks
  Emphasis emphasized = {};
};

struct PageContent {
  std::string study;
  std::vector<std::pair<std::string, std::string>> facts;  // "hash", "made", ...
  bool complete = true;
  std::string state;                 // "8 of 8 trials finished"
  std::vector<std::string> missing;  // what an unfinished study lacks
  std::vector<Block> results, importance, findings, failures, provenance;
  std::vector<Drawing> drawings;
  nlohmann::json cells;    // see cells_view.h; null: none are shown
  std::string study_text;  // YAML
  int reload_seconds = 0;  // after so many the page loads itself anew; 0: never
};

// UTF-8. All of `content` may be any text: it is escaped.
std::string report_page(const PageContent& content);

}  // namespace windrow::report
