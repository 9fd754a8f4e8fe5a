#include "worker/device/device.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/headeronly/version.h>

#include <cstdlib>
#include <new>

#include "worker/trainer_error.h"

#ifdef WINDROW_CUDA
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>
#endif

namespace windrow::worker {

using protocol::TrainerFailure;

#ifdef WINDROW_CUDA
namespace {

int visible_gpus() {
  return static_cast<int>(c10::cuda::device_count());
}

std::string gpu_name(int index) {
  cudaDeviceProp properties;
  if (cudaGetDeviceProperties(&properties, index) != cudaSuccess) return "unknown GPU";
  return properties.name;
}

}  // namespace

std::string describe_devices() {
  std::string names;
  for (int i = 0; i < visible_gpus(); ++i) names += (i ? ", " : "") + gpu_name(i);
  return names.empty() ? "cpu" : names;
}

std::string describe(at::Device device) {
  return device.is_cuda() ? gpu_name(device.index()) : "cpu";
}

bool has_tensor_cores(at::Device device) {
  int major = 0;
  return device.is_cuda() &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device.index()) ==
             cudaSuccess &&
         major >= 8;
}

int count_gpus() {
  return visible_gpus();
}

void wait_for(at::Device device) {
  if (device.is_cuda()) c10::cuda::device_synchronize();
}

std::int64_t kept_memory(at::Device device) {
  if (!device.is_cuda()) return 0;
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device.index());
  return stats.reserved_bytes[0].current;
}

std::int64_t peak_memory(at::Device device) {
  if (!device.is_cuda()) return 0;
  return c10::cuda::CUDACachingAllocator::getDeviceStats(device.index()).reserved_bytes[0].peak;
}

void reset_peak_memory(at::Device device) {
  if (device.is_cuda()) c10::cuda::CUDACachingAllocator::resetPeakStats(device.index());
}

void give_back_memory(at::Device device) {
  if (device.is_cuda()) c10::cuda::CUDACachingAllocator::emptyCache();
}
#else
std::string describe_devices() {
  return "cpu";
}

std::string describe(at::Device) {
  return "cpu";
}

bool has_tensor_cores(at::Device) {
  return false;
}

int count_gpus() {
  return 0;
}

void wait_for(at::Device) {}

std::int64_t kept_memory(at::Device) {
  return 0;
}

std::int64_t peak_memory(at::Device) {
  return 0;
}

void reset_peak_memory(at::Device) {}

void give_back_memory(at::Device) {}
#endif

protocol::Json library_versions() {
  protocol::Json versions{{"torch", TORCH_VERSION}};
#ifdef WINDROW_CUDA
  const auto dotted = [](int v) {
    return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10);
  };
  versions["cuda"] = dotted(CUDART_VERSION);
  int driver = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver) versions["driver"] = dotted(driver);
#endif
  return versions;
}

void set_threads(int threads) {
  at::set_num_threads(threads);
}

at::Device open_device(const std::string& name, int threads) {
  if (threads < 1)
    throw TrainerError(TrainerFailure::spec,
                       "threads is " + std::to_string(threads) + ", but must be at least 1");
  set_threads(threads);
  if (name == "cpu" || name.empty()) return at::kCPU;
  if (name != "cuda")
    throw TrainerError(TrainerFailure::spec,
                       "device is \"" + name + "\"; a trainer knows \"cpu\" and \"cuda\"");
#ifdef WINDROW_CUDA
  if (visible_gpus() < 1)
    throw TrainerError(TrainerFailure::cuda,
                       "no usable CUDA GPU: `windrow doctor` tells whether the driver and "
                       "CUDA_VISIBLE_DEVICES are right");
  // Slots that share a GPU have a part of its memory each: what runs out of it is to blame itself.
  const char* slots = std::getenv("WINDROW_GPU_SLOTS");
  if (const int sharing = slots ? std::atoi(slots) : 1; sharing > 1)
    c10::cuda::CUDACachingAllocator::setMemoryFraction(1.0 / sharing, 0);
  return at::Device(at::kCUDA, 0);
#else
  throw TrainerError(TrainerFailure::cuda,
                     "this windrow-trainer is built for the CPU only; build the cuda preset, or "
                     "run the study with CPU slots");
#endif
}

TrainerFailure failure_kind_of(const std::exception& error) {
  if (const auto* known = dynamic_cast<const TrainerError*>(&error)) return known->kind;
  if (dynamic_cast<const std::bad_alloc*>(&error)) return TrainerFailure::oom;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error)) return TrainerFailure::oom;
  // Memory runs out in the allocator (above), in a plain call of the driver, or within cuBLAS and
  // cuDNN, which say so in words of their own; the CPU's allocator throws a plain Error.
  constexpr std::int32_t kCudaOutOfMemory = 2;  // cudaErrorMemoryAllocation
  if (const auto* device = dynamic_cast<const c10::AcceleratorError*>(&error))
    return device->get_error_code() == kCudaOutOfMemory ? TrainerFailure::oom
                                                        : TrainerFailure::cuda;
  const std::string text = error.what();
  const auto says = [&](const char* words) { return text.find(words) != text.npos; };
  for (const char* words : {"can't allocate memory", "ALLOC_FAILED", "out of memory"})
    if (says(words)) return TrainerFailure::oom;
  for (const char* words :
       {"CUDA error", "CUDA driver error", "CUBLAS_STATUS", "CUDNN_STATUS", "NCCL error"})
    if (says(words)) return TrainerFailure::cuda;
  if (dynamic_cast<const c10::DistError*>(&error)) return TrainerFailure::gang;
  return TrainerFailure::crash;
}

}  // namespace windrow::worker
