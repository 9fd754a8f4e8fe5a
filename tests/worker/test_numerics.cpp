// What the arithmetic of an attempt is, and what its errors stand for.
#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "tests/worker/support.h"
#include "worker/device/device.h"
#include "worker/device/numerics.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

using protocol::Failed;
using protocol::TrainerFailure;
using testing::HasSubstr;

TEST(Numerics, AreTheSameWhateverRanBefore) {
  at::Context& context = at::globalContext();
  context.setBenchmarkCuDNN(true);
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::CONV,
                              at::Float32Precision::TF32);
  declare_numerics(at::kCPU, Precision::float32);
  EXPECT_TRUE(context.deterministicCuDNN());
  EXPECT_FALSE(context.benchmarkCuDNN());
  for (const auto op : {at::Float32Op::CONV, at::Float32Op::RNN, at::Float32Op::MATMUL})
    EXPECT_EQ(context.float32Precision(at::Float32Backend::CUDA, op), at::Float32Precision::IEEE);
}

TEST(Numerics, APrecisionThatTheDeviceHasNotIsRefused) {
  for (const char* precision : {"tf32", "bf16"}) {
    protocol::Start start = test::small_choice_sets(1);
    test::TemporaryFolder folder;
    test::write_small_cifar10(folder.path() / "cifar-10-batches-bin", 2);
    start.task = "cifar10";
    start.data_dir = folder.path();
    start.parameters = {
        {"model", "cnn3"}, {"optimizer", "adam"}, {"epochs", 1}, {"precision", precision}};
    DataCache data;
    test::Messages messages;
    test::run(start, data, messages);
    ASSERT_EQ(messages.of<Failed>().size(), 1u);
    EXPECT_EQ(messages.of<Failed>()[0].kind, TrainerFailure::spec);
    EXPECT_THAT(messages.of<Failed>()[0].message, HasSubstr(precision));
    EXPECT_THAT(messages.of<Failed>()[0].message, HasSubstr("take float32"));
  }
}

TEST(FailureKindOf, KnowsEachFormOfTheErrorsOfDevices) {
  const auto kind = [](const char* text) { return failure_kind_of(std::runtime_error(text)); };
  EXPECT_EQ(failure_kind_of(std::bad_alloc()), TrainerFailure::oom);
  EXPECT_EQ(failure_kind_of(c10::OutOfMemoryError({}, "CUDA out of memory. Tried to ...")),
            TrainerFailure::oom);
  EXPECT_EQ(failure_kind_of(c10::AcceleratorError({}, 2, "CUDA error: out of memory")),
            TrainerFailure::oom);
  EXPECT_EQ(failure_kind_of(c10::AcceleratorError({}, 700, "CUDA error: illegal address")),
            TrainerFailure::cuda);
  EXPECT_EQ(kind("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
            TrainerFailure::oom);
  EXPECT_EQ(kind("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), TrainerFailure::oom);
  EXPECT_EQ(kind("[enforce fail] DefaultCPUAllocator: can't allocate memory"), TrainerFailure::oom);
  EXPECT_EQ(kind("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"), TrainerFailure::cuda);
  EXPECT_EQ(kind("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"), TrainerFailure::cuda);
  EXPECT_EQ(kind("CUDA driver error: device not ready"), TrainerFailure::cuda);
  EXPECT_EQ(kind("NCCL error in: ProcessGroupNCCL.cpp, unhandled cuda error"),
            TrainerFailure::cuda);
  EXPECT_EQ(failure_kind_of(c10::DistBackendError({}, "Connection closed by peer")),
            TrainerFailure::gang);
  EXPECT_EQ(failure_kind_of(TrainerError(TrainerFailure::data, "no data")), TrainerFailure::data);
  EXPECT_EQ(kind("anything else"), TrainerFailure::crash);
}

}  // namespace
}  // namespace windrow::worker
