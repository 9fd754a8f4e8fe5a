#include "worker/models/dropout.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "worker/cpu/kernels/image_kernels.h"

namespace windrow::worker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// On the CPU no mask is kept: the gradient's pass draws the same numbers again. Two elements from
// each number of the stream, in the order of memory.
at::Tensor drop(const at::Tensor& x, double rate, std::uint64_t key) {
  const at::Tensor y = at::empty_like(x, x.options(), x.suggest_memory_format());
  const Dropout all{.key = key,
                    .threshold = static_cast<std::uint32_t>(rate * 0x1p32),
                    .kept = static_cast<float>(1 / (1 - rate)),
                    .x = x.const_data_ptr<float>(),
                    .y = y.mutable_data_ptr<float>()};
  constexpr std::int64_t kBlock = 4096;
  const std::int64_t count = x.numel();
  at::parallel_for(0, (count + kBlock - 1) / kBlock, 4, [&](std::int64_t begin, std::int64_t end) {
    Dropout part = all;
    part.first = begin * kBlock;
    part.n = std::min(count, end * kBlock) - part.first;
    part.x += part.first;
    part.y += part.first;
    best_image_kernels().dropout(part);
  });
  return y;
}

struct DropoutFunction : Function<DropoutFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, double rate,
                            std::uint64_t key) {
    const at::MemoryFormat format = input.suggest_memory_format();
    context->saved_data["format"] = static_cast<std::int64_t>(format);
    context->saved_data["rate"] = rate;
    context->saved_data["key"] = static_cast<std::int64_t>(key);
    return drop(input.contiguous(format), rate, key);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto format = static_cast<at::MemoryFormat>(context->saved_data["format"].toInt());
    return {drop(gradients[0].contiguous(format), context->saved_data["rate"].toDouble(),
                 static_cast<std::uint64_t>(context->saved_data["key"].toInt())),
            {},
            {}};
  }
};

}  // namespace

at::Tensor dropout(const at::Tensor& x, double rate, const RandomStream& stream) {
  if (rate == 0) return x;
  if (x.is_cpu()) return DropoutFunction::apply(x, rate, stream.key());
  at::Generator generator = at::globalContext().defaultGenerator(x.device()).clone();
  generator.set_current_seed(stream.key());
  const at::Tensor mask = at::empty_like(x.detach()).bernoulli_(1 - rate, generator);
  return x.mul(mask.div_(1 - rate));
}

}  // namespace windrow::worker
