#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/cluster_profile.h"
#include "sweeps/study.h"

namespace windrow::sweeps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTwo = R"(
clusters:
  alps:
    hosts: [alps-ln*, login.alps]
    partition: gpu
    account: project_123
    nodes: 2
    gpus_per_node: 4
    time: "12:00:00"
    modules: [gcc/12, cuda/13]
    prologue: ["ulimit -n 65536"]
  desk: {}
)";

TEST(Clusters, AreReadAndChosenByNameOrHost) {
  const auto clusters = parse_clusters(kTwo, "clusters.yaml");
  ASSERT_EQ(clusters.size(), 2u);
  EXPECT_EQ(clusters[0].partition, "gpu");
  EXPECT_EQ(clusters[0].gpus_per_node, 4);
  EXPECT_EQ(clusters[0].time, "12:00:00");
  EXPECT_THAT(clusters[0].modules, ElementsAre("gcc/12", "cuda/13"));
  EXPECT_EQ(choose_cluster(clusters, "", "alps-ln3"), &clusters[0]);
  EXPECT_EQ(choose_cluster(clusters, "", "elsewhere"), nullptr);
  EXPECT_EQ(choose_cluster(clusters, "desk", "alps-ln3"), &clusters[1]);
  EXPECT_EQ(choose_cluster(clusters, "dusk", "alps-ln3"), nullptr);
}

TEST(Clusters, FaultsHaveTheirPlaces) {
  try {
    parse_clusters("clusters:\n  alps:\n    partitoin: gpu\n    nodes: many\n    modules: gcc\n",
                   "c.yaml");
    FAIL() << "nothing was refused";
  } catch (const StudyError& error) {
    EXPECT_THAT(error.what(), HasSubstr("c.yaml:3:5: partitoin: is no key of a cluster"));
    EXPECT_THAT(error.what(), HasSubstr("c.yaml:4:12: nodes"));
    EXPECT_THAT(error.what(), HasSubstr("c.yaml:5:14: modules"));
  }
}

}  // namespace
}  // namespace windrow::sweeps
