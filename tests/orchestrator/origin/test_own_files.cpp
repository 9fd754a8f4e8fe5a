// Which files are a command's own, and which are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.h"
#include "orchestrator/origin/own_files.h"

namespace windrow::origin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Words = std::vector<std::string>;

class OwnFilesTest : public FilesTest {
 protected:
  std::vector<std::string> names(const Words& command, const Words& more = {}) {
    std::vector<std::string> names;
    for (const auto& file : own_files(command, more, folder_))
      names.push_back(name_of(file, folder_));
    return names;
  }
};

TEST_F(OwnFilesTest, AScriptAndWhatItImportsFromBesideIt) {
  write("src/train.py", "import os, numpy\nimport model\nfrom data import loader\n");
  write("src/model.py", "from layers.conv import Conv\n");
  write("src/layers/__init__.py");
  write("src/layers/conv.py", "from . import init\nfrom ..model import x\n");
  write("src/layers/init.py");
  write("src/data/loader.py");
  write("src/plots.py");  // beside them, and not imported
  write("model.py");      // where it starts, which is not where Python looks
  EXPECT_THAT(names({"python3", "src/train.py"}),
              ElementsAre("src/data/loader.py", "src/layers/__init__.py", "src/layers/conv.py",
                          "src/layers/init.py", "src/model.py", "src/train.py"));
}

TEST_F(OwnFilesTest, AModuleThatIsRun) {
  write("pkg/__init__.py");
  write("pkg/__main__.py", "from pkg import train\n");
  write("pkg/train.py");
  EXPECT_THAT(names({"python3", "-m", "pkg"}),
              ElementsAre("pkg/__init__.py", "pkg/__main__.py", "pkg/train.py"));
  EXPECT_THAT(names({"python3", "-m", "pkg.train"}),
              ElementsAre("pkg/__init__.py", "pkg/train.py"));
}

TEST_F(OwnFilesTest, ArgumentsThatAreFiles) {
  write("train.py");
  write("a.yaml");
  write("b.yaml");
  write("data/x.bin");
  EXPECT_THAT(
      names({"python3", "train.py", "--config=a.yaml", "b.yaml", "--data", "data", "no.py"}),
      ElementsAre("a.yaml", "b.yaml", "train.py"));
}

TEST_F(OwnFilesTest, ScriptsThatAScriptNames) {
  write("run.sh", "#!/bin/sh\nset -e\npython3 'src/train.py' \"$@\"  # not notes.txt\n");
  write("src/train.py", "import model\n");
  write("src/model.py");
  write("notes.txt");
  EXPECT_THAT(names({"bash", "run.sh"}), ElementsAre("run.sh", "src/model.py", "src/train.py"));
  write("fit", "#!/usr/bin/env python3\nimport other\n");
  write("other.py");
  EXPECT_THAT(names({"./fit"}), ElementsAre("fit", "other.py"));
}

TEST_F(OwnFilesTest, InterpretersAreNot) {
  write("venv/bin/python3.11", "a program");
  write("train.py");
  EXPECT_THAT(names({"venv/bin/python3.11", "train.py"}), ElementsAre("train.py"));
  EXPECT_THAT(names({"sh", "-c", "exit 0"}), IsEmpty());
}

TEST_F(OwnFilesTest, WhatIsNamedBesides) {
  write("bin/train", "a program");
  write("conf/a.yaml");
  write("conf/deep/b.yaml");
  write("conf/__pycache__/c.pyc");
  write("conf/.git/config");
  write("conf/env/pyvenv.cfg");
  write("conf/env/lib/d.py");
  write("one.txt");
  EXPECT_THAT(names({"bin/train"}, {"conf", "one.txt"}),
              ElementsAre("bin/train", "conf/a.yaml", "conf/deep/b.yaml", "one.txt"));
}

TEST_F(OwnFilesTest, ImportsInARingEnd) {
  write("a.py", "import b\n");
  write("b.py", "import a\n");
  EXPECT_THAT(names({"python3", "a.py"}), ElementsAre("a.py", "b.py"));
}

}  // namespace
}  // namespace windrow::origin
