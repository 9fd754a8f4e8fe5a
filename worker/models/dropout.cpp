#include "worker/models/dropout.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "worker/cpu/kernels/image_kernels.h"

namespace windrow::worker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// What is dropped: element `first` of the batch is the first one here. Two elements from each
// number of the stream, in the order of memory.
struct Mask {
  std::uint64_t key = 0;
  std::int64_t first = 0;  // even
  double rate = 0;

  std::uint32_t threshold() const { return static_cast<std::uint32_t>(rate * 0x1p32); }
  float kept() const { return static_cast<float>(1 / (1 - rate)); }
};

Mask mask_of(const at::Tensor& x, double rate, const RandomStream& stream,
             std::int64_t first_image) {
  const std::int64_t first = x.size(0) == 0 ? 0 : first_image * (x.numel() / x.size(0));
  TORCH_CHECK(first % 2 == 0, "dropout of a shard: an image has an odd number of activations");
  return {stream.key(), first, rate};
}

// On the CPU no mask is kept: the gradient's pass draws the same numbers again.
at::Tensor drop(const at::Tensor& x, const Mask& mask) {
  const at::Tensor y = at::empty_like(x, x.options(), x.suggest_memory_format());
  const Dropout all{.key = mask.key,
                    .threshold = mask.threshold(),
                    .kept = mask.kept(),
                    .x = x.const_data_ptr<float>(),
                    .y = y.mutable_data_ptr<float>()};
  constexpr std::int64_t kBlock = 4096;
  const std::int64_t count = x.numel();
  at::parallel_for(0, (count + kBlock - 1) / kBlock, 4, [&](std::int64_t begin, std::int64_t end) {
    Dropout part = all;
    part.first = mask.first + begin * kBlock;
    part.n = std::min(count, end * kBlock) - begin * kBlock;
    part.x += begin * kBlock;
    part.y += begin * kBlock;
    best_image_kernels().dropout(part);
  });
  return y;
}

struct DropoutFunction : Function<DropoutFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const Mask& mask) {
    const at::MemoryFormat format = input.suggest_memory_format();
    context->saved_data["format"] = static_cast<std::int64_t>(format);
    context->saved_data["rate"] = mask.rate;
    context->saved_data["key"] = static_cast<std::int64_t>(mask.key);
    context->saved_data["first"] = mask.first;
    return drop(input.contiguous(format), mask);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto format = static_cast<at::MemoryFormat>(context->saved_data["format"].toInt());
    const Mask mask{static_cast<std::uint64_t>(context->saved_data["key"].toInt()),
                    context->saved_data["first"].toInt(), context->saved_data["rate"].toDouble()};
    return {drop(gradients[0].contiguous(format), mask), {}};
  }
};

// z ^ (z >> shift) of 64 bits, which int64 tensors shift arithmetically.
at::Tensor fold(const at::Tensor& z, int shift) {
  const std::int64_t ones = static_cast<std::int64_t>(~std::uint64_t{0} >> shift);
  return z.bitwise_xor(z.bitwise_right_shift(shift).bitwise_and_(ones));
}

// RandomStream::bits(first), ..., bits(first + count - 1): int64 [count].
at::Tensor bits_of(std::uint64_t key, std::int64_t first, std::int64_t count, at::Device device) {
  const auto number = [](std::uint64_t bits) { return static_cast<std::int64_t>(bits); };
  at::Tensor z =
      at::arange(first + 1, first + 1 + count, at::TensorOptions(at::kLong).device(device))
          .mul_(number(0x9e3779b97f4a7c15))
          .add_(number(key));
  z = fold(z, 30).mul_(number(0xbf58476d1ce4e5b9));
  z = fold(z, 27).mul_(number(0x94d049bb133111eb));
  return fold(z, 31);
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, double rate, const RandomStream& stream,
                   std::int64_t first_image) {
  if (rate == 0) return x;
  if (!x.is_cpu()) return dropout_by_operators(x, rate, stream, first_image);
  return DropoutFunction::apply(x, mask_of(x, rate, stream, first_image));
}

at::Tensor dropout_by_operators(const at::Tensor& x, double rate, const RandomStream& stream,
                                std::int64_t first_image) {
  if (rate == 0) return x;
  const Mask mask = mask_of(x, rate, stream, first_image);
  const std::int64_t count = x.numel();
  const at::Tensor bits = bits_of(mask.key, mask.first / 2, (count + 1) / 2, x.device());
  constexpr std::int64_t kHalf = 0xffffffff;
  const at::Tensor halves =
      at::stack({bits.bitwise_and(kHalf), bits.bitwise_right_shift(32).bitwise_and_(kHalf)}, 1);
  const at::Tensor keep = halves.view(-1).narrow(0, 0, count).ge(std::int64_t{mask.threshold()});
  // As the elements lie in memory.
  const bool last = x.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
  const at::Tensor shaped =
      last ? keep.view({x.size(0), x.size(2), x.size(3), x.size(1)}).permute({0, 3, 1, 2})
           : keep.view(x.sizes());
  return at::where(shaped, x * static_cast<double>(mask.kept()), at::zeros({}, x.options()));
}

}  // namespace windrow::worker
