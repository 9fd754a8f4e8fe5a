// The devices a trainer can use. The only place that knows CUDA.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <exception>
#include <string>

#include "protocol/messages.h"

namespace windrow::worker {

// For people: "cpu", or the GPUs' names.
std::string describe_devices();

// Versions of what computes: torch, and where there is one, CUDA.
protocol::Json library_versions();

// What computes, as attempts and checkpoints have it: "cpu", or the GPU's name.
std::string describe(at::Device device);

// CPU threads of what the calling thread computes from here on; at least 1.
void set_threads(int threads);

// The device of a start message, "cpu" or "cuda", ready for use with `threads` CPU threads. Throws
// TrainerError{spec} for an unknown name or a thread count below 1, and TrainerError{cuda} where
// there is no GPU to use.
at::Device open_device(const std::string& name, int threads);

// Whether it computes in TF32 and bfloat16.
bool has_tensor_cores(at::Device device);

// GPUs that this process sees.
int count_gpus();

// Bytes of the device's memory that this process keeps for later use, or uses; 0 on the CPU.
std::int64_t kept_memory(at::Device device);

// Bytes of the device's memory, at most, since reset_peak_memory(); 0 on the CPU.
std::int64_t peak_memory(at::Device device);
void reset_peak_memory(at::Device device);

// Until the device has done what it was given.
void wait_for(at::Device device);

// Gives memory that is kept for later use back to the device: others may share it.
void give_back_memory(at::Device device);

// The kind of failure an exception stands for; crash where nothing better is known.
protocol::TrainerFailure failure_kind_of(const std::exception& error);

}  // namespace windrow::worker
