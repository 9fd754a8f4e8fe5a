// What is around a trainer, read from a file system that the test makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.h"
#include "orchestrator/origin/environment.h"

namespace windrow::origin {
namespace {

using protocol::Json;

class EnvironmentTest : public FilesTest {
 protected:
  void SetUp() override {
    for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "LOADEDMODULES",
                             "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"})
      unsetenv(name);
  }
};

TEST_F(EnvironmentTest, TheMachine) {
  write("proc/cpuinfo", "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\n");
  write("proc/driver/nvidia/gpus/0000:3b/information", "Model: \t\t NVIDIA H200\nIRQ: 1\n");
  write("proc/driver/nvidia/version", "NVRM version: 550.54\nGCC version: 12\n");
  write("etc/os-release", "NAME=x\nPRETTY_NAME=\"An OS 9\"\n");
  Json facts = environment_facts({"none"}, folder_);
  facts.erase("kernel");
  EXPECT_EQ(facts, (Json{{"cpu", "A CPU @ 2 GHz"},
                         {"gpus", {"NVIDIA H200"}},
                         {"driver", "NVRM version: 550.54"},
                         {"os", "An OS 9"}}));
}

TEST_F(EnvironmentTest, TheProgramsPythonEnvironment) {
  write("env/pyvenv.cfg");
  write("env/bin/python", "a program");
  write("env/lib/python3.11/site-packages/torch-2.11.0.dist-info/METADATA");
  write("env/lib/python3.11/site-packages/numpy-2.1.0.dist-info/METADATA");
  write("env/lib/python3.11/site-packages/torch/version.py");
  const Json packages = {"numpy 2.1.0", "torch 2.11.0"};
  Json facts = environment_facts({folder_ / "env/bin/python", "train.py"}, "/none");
  EXPECT_EQ(facts["python"], (folder_ / "env").string());
  EXPECT_EQ(facts["packages"], packages);
  setenv("CONDA_PREFIX", (folder_ / "env").c_str(), 1);
  setenv("CONDA_DEFAULT_ENV", "mine", 1);
  setenv("LOADEDMODULES", "cuda/12.4:gcc/13", 1);
  facts = environment_facts({"none"}, "/none");
  EXPECT_EQ(facts["packages"], packages);
  EXPECT_EQ(facts["conda"], "mine");
  EXPECT_EQ(facts["modules"], "cuda/12.4:gcc/13");
}

}  // namespace
}  // namespace windrow::origin
