// A copy of the code is trained from: words are mapped to it and files back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files.h"
#include "orchestrator/origin/code_copy.h"
#include "orchestrator/origin/program_watch.h"

namespace windrow::origin {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::ThrowsMessage;

class CodeCopyTest : public FilesTest {
 protected:
  void copy(const std::vector<std::string>& freeze, const std::vector<fs::path>& leave_out = {}) {
    fs::create_directories(folder_ / "w.db.checkpoints");
    make_code_copy(freeze, folder_, code_, leave_out);
  }
  fs::path code_ = folder_ / "w.db.checkpoints/s-1";
};

TEST_F(CodeCopyTest, WordsBelowAFrozenFolderNameTheCopy) {
  write("src/train.py");
  write("src/a.yaml");
  write("data/x.bin");
  copy({"src/"});
  const CodeCopy copy{{"src/"}, code_, folder_};
  EXPECT_THAT(
      copy.words({"python3", "src/train.py", "--config=./src/a.yaml", "data/x.bin", "src",
                  (folder_ / "src/train.py").string(), "src/none.py"}),
      ElementsAre("python3", code_ / "src/train.py", "--config=" + (code_ / "src/a.yaml").string(),
                  "data/x.bin", code_ / "src", code_ / "src/train.py", "src/none.py"));
  EXPECT_EQ(copy.original(code_ / "src/train.py"), folder_ / "src/train.py");
  EXPECT_EQ(copy.original(folder_ / "data/x.bin"), folder_ / "data/x.bin");
}

TEST_F(CodeCopyTest, WithoutACopyNothingIsMapped) {
  const CodeCopy none{{"src"}, "", folder_};
  EXPECT_THAT(none.words({"src/train.py"}), ElementsAre("src/train.py"));
  EXPECT_THAT(none.environment(), IsEmpty());
}

TEST_F(CodeCopyTest, TheWholeFolderWithoutWhatIsNoCode) {
  write("train.py");
  write(".git/config");
  write("__pycache__/train.pyc");
  write("w.db");
  write("w.db.checkpoints/trial-1/a");
  copy({"."}, {folder_ / "w.db", folder_ / "w.db.checkpoints"});
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(code_)) files.push_back(entry.path().filename());
  EXPECT_THAT(files, ElementsAre("train.py"));
}

TEST_F(CodeCopyTest, TheProgramOfACopyIsThatOfItsOriginal) {
  write("src/train.py", "import model\n");
  write("src/model.py");
  copy({"src"});
  protocol::TrainerSettings trainer{.command = {"python3", "src/train.py"}, .freeze = {"src"}};
  const protocol::Program here = ProgramWatch(trainer, folder_).now();
  trainer.code = code_;
  ProgramWatch watch(trainer, folder_);
  EXPECT_EQ(watch.now(), here);
  write("src/model.py", "x = 2\n");
  EXPECT_EQ(watch.now(), here);
}

TEST_F(CodeCopyTest, PythonLooksInTheCopyToo) {
  write("lib/a.py");
  copy({"lib"});
  setenv("PYTHONPATH", "lib:/elsewhere", 1);
  EXPECT_THAT((CodeCopy{{"lib"}, code_, folder_}).environment(),
              ElementsAre(Pair("WINDROW_CODE", code_),
                          Pair("PYTHONPATH", (code_ / "lib").string() + ":/elsewhere")));
  unsetenv("PYTHONPATH");
}

TEST_F(CodeCopyTest, NothingIsLeftOfACopyThatFails) {
  fs::create_directories(folder_ / "empty");
  EXPECT_THAT([&] { copy({"empty"}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("there is no file in empty")));
  EXPECT_TRUE(fs::is_empty(folder_ / "w.db.checkpoints"));
}

}  // namespace
}  // namespace windrow::origin
