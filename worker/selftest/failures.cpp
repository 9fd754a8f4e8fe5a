// What a device says when it can't, told by its kind.
#include <ATen/ops/empty.h>

#include "worker/device/device.h"
#include "worker/selftest/selftest.h"

namespace windrow::worker {

void check_failures(SelfTest& test) {
  test.attempt("out of memory is told as such", [&]() -> Outcome {
    constexpr std::int64_t kPebibyte = std::int64_t{1} << 50;
    try {
      at::empty({kPebibyte}, at::TensorOptions(at::kByte).device(test.device()));
    } catch (const std::exception& error) {
      const std::string kind(protocol::to_string(failure_kind_of(error)));
      const bool well = kind == "oom";
      return {"", well ? Outcome::Verdict::ok : Outcome::Verdict::differs, "told as " + kind};
    }
    return {"", Outcome::Verdict::failed, "a pebibyte was given"};
  });
  test.attempt("memory is given back between trials", [&]() -> Outcome {
    { at::empty({1 << 24}, at::TensorOptions(at::kByte).device(test.device())); }
    give_back_memory(test.device());
    const std::int64_t kept = kept_memory(test.device());
    if (test.device().is_cpu() || kept < (1 << 24))
      return {"", Outcome::Verdict::ok, std::to_string(kept >> 20) + " MiB are kept"};
    return {"", Outcome::Verdict::differs, std::to_string(kept >> 20) + " MiB are kept"};
  });
  if (test.device().is_cpu()) {
    test.not_tried("everything on a GPU", "no GPU is visible");
  }
}

}  // namespace windrow::worker
