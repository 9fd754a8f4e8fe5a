#include "worker/models/setnet.h"

#include "worker/cpu/kernels/kernels.h"
#include "worker/trainer_error.h"

namespace windrow::worker {

Pool pool_from_name(const std::string& name) {
  if (name == "mean") return Pool::mean;
  if (name == "sum") return Pool::sum;
  if (name == "max") return Pool::max;
  throw TrainerError(protocol::TrainerFailure::spec,
                     "pool is \"" + name + "\"; setnet knows mean, sum and max");
}

void add_setnet_weights(const SetnetShape& shape, Weights& weights) {
  for (std::int64_t layer = 0; layer < shape.depth; ++layer) {
    const std::string prefix = "layer" + std::to_string(layer + 1) + ".";
    const std::int64_t in = shape.in(layer), out = shape.out(layer);
    weights.add_glorot(prefix + "lambda", {in, out}, in, out);
    weights.add_glorot(prefix + "gamma", {in, out}, in, out);
    weights.add_zeros(prefix + "bias", {out});
  }
  weights.allocate(/*autograd=*/false);
}

std::unique_ptr<Setnet> make_setnet(const SetnetShape& shape, Weights& weights,
                                    std::int64_t shards) {
  if (weights.flat().is_cpu()) return make_cpu_setnet(shape, weights, best_kernels(), shards);
  return make_aten_setnet(shape, weights, shards);
}

}  // namespace windrow::worker
