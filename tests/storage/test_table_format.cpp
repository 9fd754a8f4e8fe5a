// Tables as text, Markdown, LaTeX, CSV and JSON.
#include <gtest/gtest.h>

#include <limits>

#include "storage/table_format.h"

namespace windrow::storage {
namespace {

using std::string_literals::operator""s;

Value integer(std::int64_t value) {
  return value;
}

const ResultTable kTable{{"model", "n", "test_mse"},
                         {{"plain"s, integer(21001), 0.14771923}, {"x_1"s, integer(7), {}}}};

TEST(TableFormat, Text) {
  EXPECT_EQ(format_table(kTable, TableStyle::text),
            "model      n  test_mse\n"
            "-----  -----  --------\n"
            "plain  21001  0.147719\n"
            "x_1        7         -\n");
}

TEST(TableFormat, TextCountsCharactersNotBytes) {
  EXPECT_EQ(format_table({{"a", "b"}, {{"±é"s, "x"s}, {"yyy"s, "z"s}}}, TableStyle::text),
            "a    b\n"
            "---  -\n"
            "±é   x\n"
            "yyy  z\n");
}

TEST(TableFormat, Markdown) {
  EXPECT_EQ(format_table({{"a|b", "v"}, {{"c|d\ne"s, 0.5}}}, TableStyle::markdown,
                         {.caption = "Results"}),
            "Results\n\n"
            "| a\\|b      |   v |\n"
            "|-----------|----:|\n"
            "| c\\|d<br>e | 0.5 |\n");
}

TEST(TableFormat, Latex) {
  EXPECT_EQ(format_table(kTable, TableStyle::latex),
            "\\begin{tabular}{lrr}\n\\toprule\n"
            "model & n & test\\_mse \\\\\n\\midrule\n"
            "plain & 21001 & 0.147719 \\\\\n"
            "x\\_1 & 7 & -- \\\\\n"
            "\\bottomrule\n\\end{tabular}\n");
}

TEST(TableFormat, LatexEscapesAndCaption) {
  const std::string latex =
      format_table({{"&%$#_{}~^\\<>"}, {}}, TableStyle::latex, {.caption = "5% of it"});
  EXPECT_NE(latex.find("\\&\\%\\$\\#\\_\\{\\}\\textasciitilde{}\\textasciicircum{}"
                       "\\textbackslash{}\\textless{}\\textgreater{} \\\\"),
            std::string::npos);
  EXPECT_EQ(latex.rfind("\\begin{table}\n\\centering\n\\caption{5\\% of it}\n", 0), 0U);
  EXPECT_NE(latex.find("\\end{table}\n"), std::string::npos);
}

TEST(TableFormat, Csv) {
  EXPECT_EQ(format_table({{"a", "b,c"},
                          {{"say \"hi\""s, 0.1 + 0.2}, {"two\nlines"s, {}}, {"x"s, integer(-3)}}},
                         TableStyle::csv),
            "a,\"b,c\"\r\n"
            "\"say \"\"hi\"\"\",0.30000000000000004\r\n"
            "\"two\nlines\",\r\n"
            "x,-3\r\n");
}

TEST(TableFormat, Json) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(format_table({{"a\"b", "c"}, {{"x\\\n\x01"s, 0.1}, {integer(5), infinity}, {{}, {}}}},
                         TableStyle::json),
            "[\n"
            " {\"a\\\"b\": \"x\\\\\\n\\u0001\", \"c\": 0.1},\n"
            " {\"a\\\"b\": 5, \"c\": null},\n"
            " {\"a\\\"b\": null, \"c\": null}\n"
            "]\n");
  EXPECT_EQ(format_table({{"a"}, {}}, TableStyle::json), "[]\n");
}

TEST(TableFormat, TruthValuesAreWords) {
  const ResultTable table{{"bias"}, {{true}, {false}}};
  EXPECT_EQ(format_table(table, TableStyle::text), "bias\n-----\ntrue\nfalse\n");
  EXPECT_EQ(format_table(table, TableStyle::csv), "bias\r\ntrue\r\nfalse\r\n");
  EXPECT_EQ(format_table(table, TableStyle::json),
            "[\n {\"bias\": true},\n {\"bias\": false}\n]\n");
}

TEST(TableFormat, DigitsForAllAndForOneColumn) {
  const ResultTable table{{"a", "b"}, {{1.23456, 1.23456}, {1234.56, 1e-9}, {2e20, -0.5}}};
  const TableOptions options{.significant_digits = 3, .column_digits = {{"b", 0}}};
  EXPECT_EQ(format_table(table, TableStyle::text, options),
            "    a        b\n"
            "-----  -------\n"
            " 1.23  1.23456\n"
            " 1235    1e-09\n"  // digits before the point are not rounded away
            "2e+20     -0.5\n");
}

TEST(TableFormat, AlignedColumnsHaveTheDecimalPlacesOfTheirLargestNumber) {
  const ResultTable table{{"mse", "lr", "time", "n"},
                          {{0.15435, 0.5, 643.2, integer(3)},
                           {-0.1526541, 0.01, 0.0894569, integer(10)},
                           {{}, {}, "failed"s, {}}}};
  const TableOptions options{.significant_digits = 5, .aligned = {"mse", "time", "n"}};
  EXPECT_EQ(format_table(table, TableStyle::text, options),
            "     mse    lr      time   n\n"
            "--------  ----  --------  --\n"
            " 0.15435   0.5     643.2   3\n"
            "-0.15265  0.01  0.089457  10\n"  // so small that 643.20's places would not show it
            "       -     -    failed   -\n");
  EXPECT_EQ(format_table({{"a"}, {{2.5}, {100.0}, {0.0}}}, TableStyle::csv, {.aligned = {"a"}}),
            "a\r\n2.5\r\n100\r\n0\r\n");
  EXPECT_EQ(format_table({{"a"}, {{0.05}, {100.0}, {0.0}}}, TableStyle::text, {.aligned = {"a"}}),
            "     a\n------\n  0.05\n100.00\n  0.00\n");  // no more places than one of them needs
}

TEST(TableFormat, LatexNumbersAreMathematics) {
  const std::string latex =
      format_table({{"a", "b"}, {{1.5e-9, -0.5}, {2e20, integer(-3)}}}, TableStyle::latex);
  EXPECT_NE(latex.find("$1.5 \\times 10^{-9}$ & $-0.5$ \\\\\n"), std::string::npos) << latex;
  EXPECT_NE(latex.find("$2 \\times 10^{20}$ & $-3$ \\\\\n"), std::string::npos) << latex;
}

TEST(TableFormat, WhatStandsOutAndTheNotes) {
  const ResultTable table{{"a", "b"}, {{integer(1), "0.5 ± 0.1"s}, {integer(2), "0.7 ± 0.1 †"s}}};
  const TableOptions options{.emphasized = {{0, 1}}, .notes = {"† at 5%"}};
  EXPECT_EQ(format_table(table, TableStyle::text, options),
            "a  b\n"
            "-  -----------\n"
            "1  0.5 ± 0.1 *\n"
            "2  0.7 ± 0.1 †\n"
            "† at 5%\n");
  const std::string markdown = format_table(table, TableStyle::markdown, options);
  EXPECT_NE(markdown.find("|   1 | **0.5 ± 0.1** |\n"), std::string::npos) << markdown;
  EXPECT_TRUE(markdown.ends_with("|\n\n† at 5%\n")) << markdown;
  EXPECT_EQ(format_table(table, TableStyle::csv, options),
            "a,b\r\n1,0.5 ± 0.1\r\n2,0.7 ± 0.1 †\r\n");
}

TEST(TableFormat, LatexOfMarksAndNotes) {
  const ResultTable table{{"− best"}, {{"−0.5 ± 0.1"s}, {"0.7 ± 0.1 †"s}}};
  TableOptions options{.caption = "c", .emphasized = {{0, 0}}, .notes = {"† at 5%"}};
  EXPECT_EQ(format_table(table, TableStyle::latex, options),
            "\\begin{table}\n\\centering\n\\caption{c}\n"
            "\\begin{tabular}{l}\n\\toprule\n$-$ best \\\\\n\\midrule\n"
            "\\textbf{$-$0.5 $\\pm$ 0.1} \\\\\n0.7 $\\pm$ 0.1 $^{\\dagger}$ \\\\\n"
            "\\bottomrule\n\\end{tabular}\n"
            "\\par\\footnotesize $^{\\dagger}$ at 5\\%\n\\end{table}\n");
  options.caption.clear();
  EXPECT_TRUE(format_table(table, TableStyle::latex, options).ends_with("% † at 5%\n"));
}

TEST(TableFormat, AFewWordsLeaveAColumnOfNumbersFlushRight) {
  const ResultTable table{{"loss"}, {{integer(1)}, {integer(20)}, {"failed"s}}};
  EXPECT_EQ(format_table(table, TableStyle::text), "  loss\n------\n     1\n    20\nfailed\n");
}

TEST(TableFormat, StyleNames) {
  EXPECT_EQ(table_style("latex"), TableStyle::latex);
  EXPECT_EQ(table_style("json"), TableStyle::json);
  EXPECT_EQ(table_style("html"), std::nullopt);
}

}  // namespace
}  // namespace windrow::storage
