// The page: what comes from a study or a trainer stays text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "orchestrator/report/html.h"
#include "orchestrator/report/page.h"

namespace windrow::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHostileHtml = "</script><script>alert(1)</script> {{chart}} \"'&";

// A page on which every text is `text`.
PageContent page_of(const std::string& text) {
  PageContent content;
  content.study = text;
  content.facts = {{text, text}};
  content.state = text;
  content.missing = {text};
  content.complete = false;
  content.results = content.findings = content.failures = content.provenance = {
      {.heading = text, .notes = {text}, .table = {{text}, {{storage::Value{text}}}}}};
  content.study_text = text;
  Drawing drawing;
  drawing.name = "figure-1";
  drawing.title = drawing.x_label = drawing.y_label = text;
  drawing.notes = {text};
  drawing.content = LineChart{{{.label = text, .points = {{.x = 1, .y = 2}}}}};
  content.drawings.push_back(drawing);
  drawing.content = HeatMap{{text}, {{3}}};
  content.drawings.push_back(drawing);
  drawing.missing = text;
  content.drawings.push_back(drawing);
  return content;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin) + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Html, EscapesWhatHasAMeaning) {
  EXPECT_EQ(escaped("<a href=\"x\">'&'</a>\x01"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;\xEF\xBF\xBD");
  EXPECT_EQ(inside_script("\"</script>\""), "\"\\u003c/script>\"");
}

TEST(Page, NoTextIsTakenForMarkup) {
  const std::string plain = report_page(page_of("x")), hostile = report_page(page_of(kHostileHtml));
  EXPECT_EQ(count(hostile, "<script"), count(plain, "<script"));
  EXPECT_EQ(count(hostile, "</script"), count(plain, "</script"));
  EXPECT_THAT(hostile, Not(HasSubstr("<script>alert")));
  EXPECT_LT(hostile.size(), plain.size() + 20000) << "{{chart}} in a text is no place of the page";
}

TEST(Page, ItsDataAreTheFiguresNumbers) {
  const std::string page = report_page(page_of(kHostileHtml));
  const auto data =
      nlohmann::json::parse(between(page, "<script type=\"application/json\" id=\"data\">", "</s"));
  ASSERT_EQ(data["charts"].size(), 1u) << "a heat map is a table of the page";
  EXPECT_EQ(data["charts"][0]["lines"][0]["label"], kHostileHtml);
  EXPECT_EQ(data["charts"][0]["lines"][0]["points"], nlohmann::json::parse("[[1, 2, null, 1]]"));
}

TEST(Page, NeedsNothingFromElsewhere) {
  const std::string page = report_page(page_of("x"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* reference : {" src=", "<link", "@import", "url("})
    EXPECT_THAT(page.substr(0, page.find("<script>")), Not(HasSubstr(reference)));
  EXPECT_THAT(page, HasSubstr("Chart.js v3"));
  EXPECT_THAT(page, HasSubstr("Permission is hereby granted"));
}

TEST(Page, SaysWhatIsMissingOfAnUnfinishedStudyOnly) {
  PageContent content = page_of("x");
  EXPECT_THAT(report_page(content), HasSubstr("id=\"missing\""));
  content.missing.clear();
  EXPECT_THAT(report_page(content), Not(HasSubstr("id=\"missing\"")));
}

TEST(Page, SectionsWithoutContentAreLeftOut) {
  PageContent content = page_of("x");
  content.findings.clear();
  EXPECT_THAT(report_page(content), Not(HasSubstr("id=\"findings\"")));
}

TEST(HeatMap, ShowsCountsShadedByTheirShareOfTheRow) {
  const std::string html = heat_map_html({{"cat", "dog"}, {{3, 1}, {0, 5}}}, "predicted", "true");
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">cat</th><td class=\"number\" "
                              "style=\"background:rgba(0,114,178,0.866);color:#fff\" "
                              "title=\"75.0 % of the row\">3</td>"));
  EXPECT_THAT(html, HasSubstr("rgba(0,114,178,0.500)\" title=\"25.0 % of the row\">1</td>"));
  EXPECT_THAT(html, HasSubstr("rgba(0,114,178,0.000)\" title=\"0.0 % of the row\">0</td>"));
}

TEST(Table, NumbersAreFlushRightAndNullIsEmpty) {
  const std::string html = table_html({{"name", "value"},
                                       {{storage::Value{"a"}, storage::Value{0.25}},
                                        {storage::Value{"b"}, storage::Value{}},
                                        {storage::Value{"c"}, storage::Value{"0.1 ± 0.2"}}}});
  EXPECT_THAT(html, HasSubstr("<td>a</td><td class=\"number\">0.25</td>"));
  EXPECT_THAT(html, HasSubstr("<td>b</td><td class=\"number\"></td>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"number\">0.1 ± 0.2</td>"));
}

}  // namespace
}  // namespace windrow::report
