// What doctor says of the ranks of a job.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/commands/doctor_ranks.h"

namespace windrow::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

RankFacts rank(int number, std::vector<std::string> boards = {}, bool own = false) {
  return {.rank = number,
          .host = "h1",
          .node = "n1",
          .version = "1",
          .mpi = "ompi",
          .cores = {0, 1},
          .boards = std::move(boards),
          .gpus_are_own = own,
          .ranks_on_gpus = 2,
          .slots = 1,
          .slots_text = "cuda:0"};
}

// What is not ok: "check: message -> remedy".
std::string faults(const std::vector<RankFacts>& ranks, int expected = 2) {
  std::string text;
  for (const Finding& one : judge_ranks(ranks, expected))
    if (one.health != Health::ok)
      text += one.check + ": " + one.message + " -> " + one.remedy + "\n";
  return text;
}

TEST(DoctorRanks, ALineForEach) {
  const Findings findings = judge_ranks({rank(0, {"GPU-a"}), rank(1)}, 2);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].check, "rank 0");
  EXPECT_EQ(findings[0].message, "h1 (n1): 2 cores, GPUs GPU-a, 1 slots (cuda:0)");
  EXPECT_THAT(findings[1].message, HasSubstr("no GPU"));
}

TEST(DoctorRanks, TwoThatHaveOneGpuAsTheirOwn) {
  EXPECT_THAT(faults({rank(0, {"GPU-a"}, true), rank(1, {"GPU-a"}, true)}),
              HasSubstr("ranks 0, 1 on h1 (n1) all have GPU GPU-a as their own"));
  EXPECT_EQ(faults({rank(0, {"GPU-a"}, true), rank(1, {"GPU-b"}, true)}), "");
  EXPECT_EQ(faults({rank(0, {"GPU-a"}), rank(1, {"GPU-a"})}), "");  // they share them
}

TEST(DoctorRanks, OneWithoutSlotsAndOneThatCantBegin) {
  RankFacts idle = rank(1, {"GPU-a"});
  idle.slots = 0;
  EXPECT_THAT(faults({rank(0), idle}), HasSubstr("2 ranks share 1 GPUs"));
  idle.fault = "--device cuda: no GPU";
  EXPECT_THAT(faults({rank(0), idle}), HasSubstr("-> --device cuda: no GPU"));
}

TEST(DoctorRanks, OnesThatDiffer) {
  RankFacts other = rank(1);
  other.mpi = "mpich";
  other.version = "2";
  EXPECT_THAT(faults({rank(0), other}), HasSubstr("different ones: mpich, ompi"));
  EXPECT_THAT(faults({rank(0), other}), HasSubstr("different versions: 1, 2"));
}

TEST(DoctorRanks, OnesThatDontAnswer) {
  EXPECT_THAT(faults({rank(0)}, 4), HasSubstr("1 of 4 ranks have answered"));
}

TEST(DoctorRanks, FactsTravel) {
  const RankFacts sent = rank(3, {"GPU-a"}, true);
  EXPECT_EQ(to_json(rank_facts_of(3, nlohmann::json::to_cbor(to_json(sent)))), to_json(sent));
}

TEST(DoctorRanks, AnAnswerThatCantBeReadIsAFaultOfItsRank) {
  const auto older = nlohmann::json::to_cbor({{"rank", 1}});
  for (const auto& answer : {older, std::vector<std::uint8_t>{0xff, 0x01}})
    EXPECT_THAT(faults({rank(0), rank_facts_of(1, answer)}),
                AllOf(HasSubstr("rank 1: "), HasSubstr("its answer can't be read"),
                      HasSubstr("different versions"), Not(HasSubstr("different ones"))));
}

}  // namespace
}  // namespace windrow::commands
