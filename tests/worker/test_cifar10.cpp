#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/support.h"
#include "worker/data/cifar10.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Cifar10Files : public testing::Test {
 protected:
  void SetUp() override { test::write_small_cifar10(folder(), 20); }
  fs::path folder() const { return temporary_.path() / "cifar-10-batches-bin"; }

  // What reading says, having checked that it is a data failure.
  std::string error_of(const fs::path& data_dir) const {
    try {
      read_cifar10(data_dir);
    } catch (const TrainerError& error) {
      EXPECT_EQ(error.kind, protocol::TrainerFailure::data);
      EXPECT_THAT(error.what(), HasSubstr("windrow data cifar10"));
      return error.what();
    }
    return "no error";
  }

  test::TemporaryFolder temporary_;
};

TEST_F(Cifar10Files, AreReadFromTheFolderOrTheOneAbove) {
  for (const fs::path& path : {folder(), folder().parent_path()}) {
    const Cifar10 data = read_cifar10(path);
    EXPECT_EQ(data.training.images.sizes(), (std::vector<std::int64_t>{100, 3, 32, 32}));
    EXPECT_EQ(data.test.labels.size(0), 20);
    EXPECT_EQ(data.training.labels[13].item<int>(), 3);
    // Record 13: brightness 3 * 25 but for every seventh byte.
    EXPECT_EQ(data.training.images[13][0][0][1].item<int>(), 75);
    EXPECT_EQ(data.training.images[13][0][0][0].item<int>(), (13 * 31 + 1) % 256);
  }
}

TEST_F(Cifar10Files, PlanesAreRedGreenBlueRowByRow) {
  std::ofstream file(folder() / "test_batch.bin", std::ios::binary);
  std::string record(3073, '\0');
  record[0] = 4;
  record[1 + 1] = 10;                    // red, row 0, column 1
  record[1 + 1024 + 32] = 20;            // green, row 1, column 0
  record[1 + 2048 + 31 * 32 + 31] = 30;  // blue, the last pixel
  file.write(record.data(), 3073);
  file.close();
  const at::Tensor image = read_cifar10(folder()).test.images[0];
  EXPECT_EQ(image[0][0][1].item<int>(), 10);
  EXPECT_EQ(image[1][1][0].item<int>(), 20);
  EXPECT_EQ(image[2][31][31].item<int>(), 30);
  EXPECT_EQ(image.sum().item<int>(), 60);
}

TEST_F(Cifar10Files, TruncatedOnesAreNamedWithBothSizes) {
  fs::resize_file(folder() / "data_batch_3.bin", 20 * 3073 - 1);
  EXPECT_THAT(error_of(folder()),
              AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("61459"), HasSubstr("30730000")));
  fs::resize_file(folder() / "data_batch_3.bin", 0);
  EXPECT_THAT(error_of(folder()), HasSubstr("has 0 bytes"));
}

TEST_F(Cifar10Files, MissingOnesAreNamed) {
  fs::remove(folder() / "test_batch.bin");
  EXPECT_THAT(error_of(folder()), AllOf(HasSubstr("test_batch.bin"), HasSubstr("No such file")));
  EXPECT_THAT(error_of(temporary_.path() / "elsewhere"), HasSubstr("elsewhere"));
  EXPECT_THAT(error_of(""), HasSubstr("no data folder was given"));
}

TEST_F(Cifar10Files, LabelsBeyondNineAreRefused) {
  std::fstream file(folder() / "data_batch_2.bin", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(7 * 3073);
  file.put(10);
  file.close();
  EXPECT_THAT(error_of(folder()),
              AllOf(HasSubstr("data_batch_2.bin"), HasSubstr("record 7"), HasSubstr("label 10")));
}

TEST_F(Cifar10Files, BatchesAreNormalizedChannelsLast) {
  const Cifar10 data = read_cifar10(folder());
  const at::Tensor indices = at::tensor({5, 0, 77}, at::kLong);
  const at::Tensor batch = normalized_batch(data.training.images, indices);
  EXPECT_EQ(batch.sizes(), (std::vector<std::int64_t>{3, 3, 32, 32}));
  EXPECT_TRUE(batch.is_contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor mean = at::tensor({0.4914F, 0.4822F, 0.4465F}).view({1, 3, 1, 1});
  const at::Tensor deviation = at::tensor({0.2470F, 0.2435F, 0.2616F}).view({1, 3, 1, 1});
  const at::Tensor expected =
      (data.training.images.index_select(0, indices).to(at::kFloat) / 255 - mean) / deviation;
  EXPECT_TRUE(batch.allclose(expected, 1e-5, 1e-5));
}

// The real records, where they are: the reader against bytes that nobody here wrote.
TEST(Cifar10Real, ExactRecordsAreReadAsTheyAre) {
  const char* set = std::getenv("WINDROW_SHARED");
  const fs::path shared = set ? fs::path(set) : fs::path(WINDROW_SOURCE_DIR) / "../shared";
  const fs::path exact = shared / "cifar10/exact-data_batch_1-first1000.bin";
  const fs::path exact_test = shared / "cifar10/exact-test_batch-first1000.bin";
  if (!fs::exists(exact) || !fs::exists(exact_test))
    GTEST_SKIP() << exact << " is missing (set WINDROW_SHARED)";
  const test::TemporaryFolder folder;
  for (int i = 1; i <= 5; ++i)
    fs::create_symlink(fs::absolute(exact),
                       folder.path() / ("data_batch_" + std::to_string(i) + ".bin"));
  fs::create_symlink(fs::absolute(exact_test), folder.path() / "test_batch.bin");
  const Cifar10 data = read_cifar10(folder.path());
  EXPECT_EQ(data.training.images.size(0), 5000);
  // The first training image of CIFAR-10 is a frog (6), the first test image a cat (3).
  EXPECT_EQ(data.training.labels[0].item<int>(), 6);
  EXPECT_EQ(data.training.images[0][0][0][0].item<int>(), 59);
  EXPECT_EQ(data.test.labels[0].item<int>(), 3);
  EXPECT_EQ(data.test.images[0][0][0][0].item<int>(), 158);
}

}  // namespace
}  // namespace windrow::worker
