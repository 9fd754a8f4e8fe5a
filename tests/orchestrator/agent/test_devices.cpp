#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/agent/devices.h"

namespace windrow {
namespace {

using protocol::SlotInfo;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;

DeviceFacts cores(int n) {
  DeviceFacts facts;
  for (int i = 0; i < n; ++i) facts.cores.push_back(i);
  return facts;
}

TEST(Devices, OneThreadASlotOverTheCores) {
  EXPECT_THAT(choose_slots(cores(3), {}, {}, {}),
              ElementsAre(SlotInfo{"cpu", 1}, SlotInfo{"cpu", 1}, SlotInfo{"cpu", 1}));
}

TEST(Devices, TheCgroupsQuotaCounts) {
  DeviceFacts facts = cores(64);
  facts.cpu_quota = 2.5;
  EXPECT_THAT(choose_slots(facts, {}, {}, {}), SizeIs(3));
}

TEST(Devices, RanksOfAHostDivideTheCoresWithoutOverlap) {
  int total = 0;
  for (int rank = 0; rank < 3; ++rank)
    total += static_cast<int>(choose_slots(cores(8), {}, {rank, 3}, {}).size());
  EXPECT_EQ(total, 8);
  EXPECT_THAT(choose_slots(cores(2), {}, {3, 4}, {}), SizeIs(1));  // asked for, so it gets one
}

TEST(Devices, WishesAreMet) {
  EXPECT_THAT(choose_slots(cores(8), {"auto", {}, 4}, {}, {}),
              ElementsAre(SlotInfo{"cpu", 4}, SlotInfo{"cpu", 4}));
  EXPECT_THAT(choose_slots(cores(8), {"auto", 1, {}}, {}, {}), ElementsAre(SlotInfo{"cpu", 1}));
  EXPECT_THAT(
      [] {
        choose_slots(cores(8), {"auto", 0, {}}, {}, {});
      },
      ThrowsMessage<DeviceError>(HasSubstr("--slots 0")));
}

TEST(Devices, RanksOfAHostDivideTheGpus) {
  DeviceFacts facts = cores(8);
  facts.gpus = {"0", "1", "2", "3"};
  EXPECT_THAT(choose_slots(facts, {}, {1, 2}, {1, 2}),
              ElementsAre(SlotInfo{"cuda:1", 2}, SlotInfo{"cuda:3", 2}));
  facts.gpus_are_own = true;
  EXPECT_THAT(choose_slots(facts, {}, {1, 2}, {1, 2}), SizeIs(4));
  EXPECT_THAT(choose_slots(facts, {"cpu", {}, {}}, {}, {}), SizeIs(8));
}

TEST(Devices, MoreSlotsThanGpusShareThem) {
  DeviceFacts facts = cores(4);
  facts.gpus = {"GPU-abc"};
  EXPECT_THAT(choose_slots(facts, {"cuda", 2, {}}, {}, {}),
              ElementsAre(SlotInfo{"cuda:GPU-abc", 2}, SlotInfo{"cuda:GPU-abc", 2}));
  EXPECT_THAT(choose_slots(facts, {}, {}, {1, 2}), IsEmpty());
}

TEST(Devices, CudaWithoutAGpuIsAnErrorWithTheRemedy) {
  EXPECT_THAT(
      [] {
        choose_slots(cores(4), {"cuda", {}, {}}, {}, {});
      },
      ThrowsMessage<DeviceError>(HasSubstr("--device cpu")));
}

TEST(Devices, ThisProcessHasACore) {
  const DeviceFacts facts = read_device_facts();
  EXPECT_FALSE(facts.cores.empty());
  EXPECT_NE(facts.cores_key(), DeviceFacts{}.cores_key());
}

}  // namespace
}  // namespace windrow
