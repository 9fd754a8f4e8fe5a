#include "worker/models/dropout.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

namespace windrow::worker {
namespace {

// Two elements from each number of the stream: 32 bits decide on one.
void fill_mask(float* mask, std::int64_t count, double rate, const RandomStream& stream) {
  const float kept = static_cast<float>(1 / (1 - rate));
  const auto threshold = static_cast<std::uint64_t>(rate * 0x1p32);
  at::parallel_for(0, (count + 1) / 2, 4096, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t whole = std::min(end, count / 2);
    for (std::int64_t i = begin; i < whole; ++i) {
      const std::uint64_t bits = stream.bits(static_cast<std::uint64_t>(i));
      mask[2 * i] = (bits & 0xffffffff) < threshold ? 0 : kept;
      mask[2 * i + 1] = (bits >> 32) < threshold ? 0 : kept;
    }
    if (whole < end)
      mask[count - 1] =
          (stream.bits(static_cast<std::uint64_t>(whole)) & 0xffffffff) < threshold ? 0 : kept;
  });
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double rate, const RandomStream& stream) {
  if (rate == 0) return x;
  const at::Tensor mask = at::empty_like(x.detach());
  if (x.is_cpu()) {
    fill_mask(mask.mutable_data_ptr<float>(), mask.numel(), rate, stream);
  } else {
    at::Generator generator = at::globalContext().defaultGenerator(x.device()).clone();
    generator.set_current_seed(stream.key());
    mask.bernoulli_(1 - rate, generator).div_(1 - rate);
  }
  return x.mul(mask);
}

}  // namespace windrow::worker
