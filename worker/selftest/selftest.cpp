#include "worker/selftest/selftest.h"

#include <ATen/TensorOperators.h>

#include <cstdio>
#include <exception>

#include "worker/device/device.h"

namespace windrow::worker {

SelfTest::SelfTest(std::vector<at::Device> devices, Report report)
    : devices_(std::move(devices)), report_(std::move(report)) {}

void SelfTest::run() {
  check_data_paths(*this);
  check_models(*this);
  check_optimizers(*this);
  check_training(*this);
  check_gang(*this);
  check_failures(*this);
}

void SelfTest::attempt(const std::string& path, const std::function<Outcome()>& check) {
  Outcome outcome;
  try {
    outcome = check();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    outcome = {.path = "", .verdict = Outcome::Verdict::failed, .text = text.substr(0, 300)};
  }
  outcome.path = path;
  report_(outcome);
}

void SelfTest::not_tried(const std::string& path, const std::string& why) {
  report_({path, Outcome::Verdict::not_tried, why});
}

Outcome near(const at::Tensor& got, const at::Tensor& expected, double limit) {
  const at::Tensor there = expected.to(at::kCPU).to(at::kDouble);
  const at::Tensor here = got.to(at::kCPU).to(at::kDouble);
  if (here.sizes() != there.sizes()) return {"", Outcome::Verdict::differs, "it has another shape"};
  const double size = there.abs().max().item<double>();
  const double difference = (here - there).abs().max().item<double>() / (size > 0 ? size : 1);
  char text[96];
  if (limit == 0 && difference == 0) return {"", Outcome::Verdict::ok, "the same bits"};
  std::snprintf(text, sizeof text, "largest difference %.1e of the largest value (limit %.0e)",
                difference, limit);
  // A NaN is near nothing.
  return {"", difference <= limit ? Outcome::Verdict::ok : Outcome::Verdict::differs, text};
}

Outcome same(const std::string& got, const std::string& expected, const std::string& what) {
  if (got == expected) return {"", Outcome::Verdict::ok, "the same bits"};
  return {"", Outcome::Verdict::differs, what};
}

std::vector<at::Device> selftest_devices() {
  std::vector<at::Device> devices;
  for (int i = 0; i < count_gpus(); ++i)
    devices.emplace_back(at::kCUDA, static_cast<c10::DeviceIndex>(i));
  return devices.empty() ? std::vector<at::Device>(2, at::kCPU) : devices;
}

protocol::Json to_json(const Outcome& outcome) {
  constexpr const char* kVerdicts[] = {"ok", "differs", "failed", "not tried"};
  return {{"path", outcome.path},
          {"verdict", kVerdicts[static_cast<int>(outcome.verdict)]},
          {"text", outcome.text}};
}

}  // namespace windrow::worker
