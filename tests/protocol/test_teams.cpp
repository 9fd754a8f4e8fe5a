#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/teams.h"

namespace windrow::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Teams, OfOneAreTheSlotsThemselves) {
  const std::vector<SlotInfo> slots{{"cuda:3", 4}, {"cpu", 1}};
  EXPECT_EQ(teams_of(slots, 1), slots);
}

TEST(Teams, OfGpusNameThemAll) {
  const std::vector<SlotInfo> slots{{"cuda:0", 4}, {"cuda:1", 4}, {"cuda:4", 4}, {"cuda:7", 3}};
  EXPECT_THAT(teams_of(slots, 2), ElementsAre(SlotInfo{"cuda:0,1", 8}, SlotInfo{"cuda:4,7", 7}));
  EXPECT_THAT(teams_of(slots, 3), ElementsAre(SlotInfo{"cuda:0,1,4", 12}));
  EXPECT_THAT(teams_of(slots, 5), IsEmpty());
}

TEST(Teams, OfCpuSlotsHaveTheirThreads) {
  const std::vector<SlotInfo> slots{{"cpu", 2}, {"cpu", 2}, {"cpu", 2}};
  EXPECT_THAT(teams_of(slots, 2), ElementsAre(SlotInfo{"cpu", 4}));
}

}  // namespace
}  // namespace windrow::protocol
