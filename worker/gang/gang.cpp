#include "worker/gang/gang.h"

#include <ATen/ops/zeros.h>

#include "protocol/hash.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

class Solo final : public Gang {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_to_all(const at::Tensor&, const at::Tensor&, const std::vector<std::int64_t>&,
                  const std::vector<std::int64_t>&) override {}
  void all_gather(const at::Tensor&, const at::Tensor&) override {}
  void sum(const at::Tensor&) override {}
  void broadcast(const at::Tensor&) override {}
};

}  // namespace

void Gang::agree(const std::string& what, const std::string& text) {
  if (size() == 1) return;
  // 60 bits of the hash: a number that a signed integer holds.
  const std::string hash = protocol::content_hash(text).substr(0, 15);
  const at::Tensor all = at::zeros({size()}, at::kLong);
  auto* numbers = all.mutable_data_ptr<std::int64_t>();
  numbers[rank()] = static_cast<std::int64_t>(std::stoull(hash, nullptr, 16));
  sum(all);
  for (int member = 1; member < size(); ++member)
    if (numbers[member] != numbers[0])
      throw TrainerError(protocol::TrainerFailure::gang,
                         "the members of the gang differ in " + what + ": member " +
                             std::to_string(member) +
                             " and the lead have trained to other bits (other hardware or another "
                             "number of threads?)");
}

std::unique_ptr<Gang> make_solo() {
  return std::make_unique<Solo>();
}

}  // namespace windrow::worker
