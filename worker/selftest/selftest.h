// Every path of a device against the CPU's answer, on the machine at hand: what `windrow selftest`
// shows. Without a GPU the same code runs on the CPU, as far as it has two ways to compute a thing,
// and what only a GPU can show is told as not tried.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::worker {

struct Outcome {
  enum class Verdict { ok, differs, failed, not_tried };
  std::string path;  // what was tried, for example "gradients of resnet9"
  Verdict verdict = Verdict::ok;
  std::string text;  // how near, why not
};

class SelfTest {
 public:
  using Report = std::function<void(const Outcome&)>;

  // `devices`: of one kind; the first is tested, a gang has all of them.
  SelfTest(std::vector<at::Device> devices, Report report);

  void run();

  // What the parts below tell.
  at::Device device() const { return devices_.front(); }
  const std::vector<at::Device>& devices() const { return devices_; }
  // `check` returns how near it came, and is `failed` with what it throws.
  void attempt(const std::string& path, const std::function<Outcome()>& check);
  void not_tried(const std::string& path, const std::string& why);

 private:
  std::vector<at::Device> devices_;
  Report report_;
};

// By the largest difference, as a share of the largest value of `expected`; 0: equal to the bit.
Outcome near(const at::Tensor& got, const at::Tensor& expected, double limit);
Outcome same(const std::string& got, const std::string& expected, const std::string& what);

// The parts, one file each.
void check_data_paths(SelfTest& test);
void check_models(SelfTest& test);
void check_optimizers(SelfTest& test);
void check_training(SelfTest& test);
void check_gang(SelfTest& test);
void check_failures(SelfTest& test);

// The devices that a trainer can use: all visible GPUs, else two members on the CPU.
std::vector<at::Device> selftest_devices();

protocol::Json to_json(const Outcome& outcome);

}  // namespace windrow::worker
