#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

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

TEST(Devices, CoresThatStayIdleOrAreSharedAreTold) {
  const auto told = [](SlotWishes wishes, int n, Share share = {}) {
    const DeviceFacts facts = cores(n);
    return core_use(choose_slots(facts, wishes, share, {}), wishes, cores_of(facts, share));
  };
  EXPECT_EQ(told({}, 8), "");
  EXPECT_EQ(told({}, 2, {3, 4}), "");  // nobody asked for these slots
  EXPECT_EQ(told({"auto", 4, {}}, 4), "");
  EXPECT_EQ(told({"auto", 3, {}}, 4), "");  // nothing to share out
  EXPECT_EQ(told({"auto", 1, 1}, 8), "");   // as was said
  EXPECT_EQ(told({"auto", 1, {}}, 8),
            "1 slot of 1 thread on 8 cores: the others stay idle; --threads-per-slot 8 gives each "
            "trial as many");
  EXPECT_THAT(told({"auto", 2, {}}, 9, {0, 2}), HasSubstr("--threads-per-slot 2 "));
  EXPECT_EQ(told({"auto", 4, 8}, 1),
            "4 slots of 8 threads on 1 core: they take the cores from each other");
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

// A host's /dev and /proc, as far as GPUs are concerned.
class Host {
 public:
  Host() {
    std::string pattern = testing::TempDir() + "devices-XXXXXX";
    root_ = mkdtemp(pattern.data());
    std::filesystem::create_directories(root_ / "dev");
  }
  ~Host() {
    std::filesystem::remove_all(root_);
    unsetenv("CUDA_VISIBLE_DEVICES");
  }
  Host& with_gpu(int number, const std::string& uuid = "") {
    write("dev/nvidia" + std::to_string(number), "");
    if (!uuid.empty())
      write("proc/driver/nvidia/gpus/0000:0" + std::to_string(number) + "/information",
            "Model: \t\t NVIDIA\nGPU UUID: \t " + uuid + "\nDevice Minor: \t " +
                std::to_string(number) + "\n");
    return *this;
  }
  DeviceFacts facts(const char* visible = nullptr) const {
    if (visible != nullptr) setenv("CUDA_VISIBLE_DEVICES", visible, 1);
    return read_device_facts(root_);
  }

 private:
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::filesystem::path root_;
};

TEST(Gpus, AreThoseWithADeviceFile) {
  Host host;
  EXPECT_THAT(host.facts().gpus, IsEmpty());
  host.with_gpu(0).with_gpu(2);
  EXPECT_THAT(host.facts().gpus, ElementsAre("0", "1"));
  EXPECT_THAT(host.facts().boards, ElementsAre("nvidia0", "nvidia2"));
  EXPECT_THAT(host.facts("1").boards, ElementsAre("nvidia2"));
}

TEST(Gpus, AreNamedAsCudaReadsTheVariable) {
  Host host;
  host.with_gpu(0).with_gpu(1);
  EXPECT_THAT(host.facts("0, 1").gpus, ElementsAre("0", "1"));
  EXPECT_THAT(host.facts("0,0").gpus, ElementsAre("0"));
  EXPECT_THAT(host.facts("1,-1,0").gpus, ElementsAre("1"));
  EXPECT_THAT(host.facts("GPU-3a4b5c6d, MIG-1").gpus, ElementsAre("GPU-3a4b5c6d", "MIG-1"));
  for (const char* none : {"", "-1", "NoDevFiles"}) {
    EXPECT_THAT(host.facts(none).gpus, IsEmpty()) << none;
    EXPECT_EQ(host.facts(none).warning, "") << none;
  }
  EXPECT_THAT(host.facts("7").gpus, IsEmpty());
  EXPECT_THAT(host.facts("7").warning, HasSubstr("CUDA_VISIBLE_DEVICES=7 names none of the 2"));
}

// A line in .bashrc that is good on another machine.
TEST(Gpus, TheVariableAloneMakesNone) {
  const Host host;
  for (const char* visible : {"0", "0,1", "GPU-3a4b5c6d"}) {
    EXPECT_THAT(host.facts(visible).gpus, IsEmpty());
    EXPECT_THAT(host.facts(visible).warning, HasSubstr("shows no GPU"));
  }
}

// Each rank of a job may see its own GPU as "0": --gpu-bind=single:1 with cgroups.
TEST(Gpus, AreToldApartByTheirBoards) {
  Host first, second;
  first.with_gpu(0, "GPU-a");
  second.with_gpu(1, "GPU-b");
  const DeviceFacts one = first.facts("0"), other = second.facts("0");
  EXPECT_EQ(one.gpus, other.gpus);
  EXPECT_THAT(one.boards, ElementsAre("GPU-a"));
  EXPECT_NE(one.gpus_key(), other.gpus_key());
}

TEST(Devices, ThisProcessHasACore) {
  const DeviceFacts facts = read_device_facts();
  EXPECT_FALSE(facts.cores.empty());
  EXPECT_NE(facts.cores_key(), DeviceFacts{}.cores_key());
}

}  // namespace
}  // namespace windrow
