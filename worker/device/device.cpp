#include "worker/device/device.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/headeronly/version.h>

#include <new>

#include "worker/trainer_error.h"

#ifdef WINDROW_CUDA
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

void synchronize(at::Device device) {
  if (device.is_cuda()) c10::cuda::device_synchronize();
}
#else
std::string describe_devices() {
  return "cpu";
}

void synchronize(at::Device) {}
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

at::Device open_device(const std::string& name, int threads) {
  if (threads < 1)
    throw TrainerError(TrainerFailure::spec,
                       "threads is " + std::to_string(threads) + ", but must be at least 1");
  at::set_num_threads(threads);
  if (name == "cpu" || name.empty()) return at::kCPU;
  if (name != "cuda")
    throw TrainerError(TrainerFailure::spec,
                       "device is \"" + name + "\"; a trainer knows \"cpu\" and \"cuda\"");
#ifdef WINDROW_CUDA
  if (visible_gpus() < 1)
    throw TrainerError(TrainerFailure::cuda,
                       "no usable CUDA GPU: `windrow doctor` tells whether the driver and "
                       "CUDA_VISIBLE_DEVICES are right");
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
  if (dynamic_cast<const c10::AcceleratorError*>(&error)) return TrainerFailure::cuda;
  const std::string text = error.what();
  // The CPU allocator throws a plain Error.
  if (text.find("can't allocate memory") != text.npos) return TrainerFailure::oom;
  if (text.find("CUDA error") != text.npos || text.find("CUBLAS_STATUS") != text.npos ||
      text.find("CUDNN_STATUS") != text.npos)
    return TrainerFailure::cuda;
  return TrainerFailure::crash;
}

}  // namespace windrow::worker
