// Files for a paper; where gnuplot is there, it draws them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "orchestrator/process/program.h"
#include "orchestrator/report/drawing_tables.h"
#include "orchestrator/report/plot_files.h"
#include "tests/storage/temporary_folder.h"

namespace windrow::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Texts that would be commands of gnuplot's, or end a string or a line of data of it.
constexpr const char* kHostile = "it's \"x\" `date` \\ $a @b {/Bold c} #d\nEOD\n_e";

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// One of each kind.
std::vector<Drawing> drawings(const std::string& text) {
  std::vector<Drawing> all(4);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].name = "figure-" + std::to_string(i + 1);
    all[i].title = all[i].x_label = all[i].y_label = text;
  }
  all[0].content = LineChart{
      {{.label = text, .points = {{.x = 1, .y = 2, .ci95 = 0.5, .n = 3}, {.x = 2, .y = 1}}}}};
  all[0].log_y = true;
  all[1].content = Scatter{{{.x = 1, .y = 2, .label = text}, {.x = 3, .y = 1, .ci95 = 0.25}}};
  all[2].content = BarChart{{text, "b"}, {{text, {0.5, std::nullopt}, {0.1, std::nullopt}}}};
  all[3].content = HeatMap{{text, "b"}, {{3, 1}, {0, 5}}};
  return all;
}

class PlotFiles : public ::testing::Test {
 protected:
  storage::TemporaryFolder folder;
};

TEST_F(PlotFiles, EveryKindIsDrawnAndNoTextIsACommand) {
  if (!find_program("gnuplot")) GTEST_SKIP() << "no gnuplot";
  const auto files = write_plots(drawings(kHostile), folder / "new" / "plots", PlotFormat::svg);
  ASSERT_EQ(files.size(), 4u);
  for (const auto& file : files) {
    EXPECT_THAT(content_of(file),
                AllOf(HasSubstr("<svg"), HasSubstr("</svg>"), HasSubstr("`date`")))
        << file;
    EXPECT_EQ(file.parent_path(), folder / "new" / "plots");
  }
}

TEST_F(PlotFiles, PdfIsPdf) {
  if (!find_program("gnuplot")) GTEST_SKIP() << "no gnuplot";
  for (const auto& file : write_plots(drawings("a"), folder.path(), PlotFormat::pdf))
    EXPECT_THAT(content_of(file), StartsWith("%PDF")) << file;
}

TEST_F(PlotFiles, TheNumbersLieBesideThePicture) {
  if (!find_program("gnuplot")) GTEST_SKIP() << "no gnuplot";
  write_plots(drawings("a"), folder.path(), PlotFormat::svg);
  EXPECT_EQ(content_of(folder / "figure-1.csv"), "line,a,a,ci95,n\r\na,1,2,0.5,3\r\na,2,1,,1\r\n");
  EXPECT_EQ(content_of(folder / "figure-4.csv"),
            "actual,predicted,images\r\na,a,3\r\na,b,1\r\nb,a,0\r\nb,b,5\r\n");
  EXPECT_THAT(content_of(folder / "figure-1.gp"), HasSubstr("set output 'figure-1.svg'"));
}

TEST_F(PlotFiles, AFigureWithoutDataIsLeftOut) {
  if (!find_program("gnuplot")) GTEST_SKIP() << "no gnuplot";
  auto some = drawings("a");
  some[0].missing = "nothing yet";
  EXPECT_EQ(write_plots(some, folder.path(), PlotFormat::svg).size(), 3u);
  EXPECT_FALSE(std::filesystem::exists(folder / "figure-1.gp"));
}

TEST_F(PlotFiles, WithoutGnuplotTheErrorNamesThePackage) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  try {
    write_plots(drawings("a"), folder.path(), PlotFormat::svg);
    ADD_FAILURE() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("apt-get install gnuplot-nox"));
  }
  ::setenv("PATH", path.c_str(), 1);
}

TEST(GnuplotScript, ALogarithmicAxisEndsAtTheDataAndHasLabelsBetweenPowersOfTen) {
  auto some = drawings("a");
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg),
              AllOf(HasSubstr("set yrange [0.909090909:2.75]"), HasSubstr("set ytics (1, 2)")));
  some[0].log_y = false;
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), Not(HasSubstr("yrange")));
  some[0].log_y = true;
  some[0].content = LineChart{{{.label = "a"}}};  // no point
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), Not(HasSubstr("yrange")));
}

TEST(GnuplotScript, AnAxisThatShowsAPartEndsThere) {
  auto some = drawings("a");
  some[0].y_range = Range{0.5, 1.5};
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg),
              AllOf(HasSubstr("set yrange [0.5:1.5]"), HasSubstr("set ytics (0.5, 1)")));
  some[0].log_y = false;
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg),
              AllOf(HasSubstr("set yrange [0.5:1.5]"), Not(HasSubstr("set ytics"))));
  EXPECT_EQ(chart_json(some[0])["y_range"], (nlohmann::json{0.5, 1.5}));
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), HasSubstr("with filledcurves"));
  some[0].y_range = Range{1.8, 2.2};  // the interval is 2 ± 0.5
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), Not(HasSubstr("with filledcurves")));
}

TEST(GnuplotScript, FewEpochsAreNotDivided) {
  auto some = drawings("a");
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), HasSubstr("set xtics 1\n"));
  std::get<LineChart>(some[0].content).lines[0].points.push_back({.x = 60, .y = 1});
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), Not(HasSubstr("set xtics")));
}

TEST(GnuplotScript, BandsAreDrawnWhereThereAreIntervals) {
  auto some = drawings("a");
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg),
              AllOf(HasSubstr("with filledcurves"), HasSubstr("1 2 1.5 2.5 \"\""),
                    HasSubstr("set logscale y")));
  std::get<LineChart>(some[0].content).lines[0].points[0].ci95.reset();
  EXPECT_THAT(gnuplot_script(some[0], PlotFormat::svg), testing::Not(HasSubstr("filledcurves")));
}

}  // namespace
}  // namespace windrow::report
