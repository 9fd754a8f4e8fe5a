#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "protocol/hash.h"
#include "tests/worker/support.h"
#include "worker/checkpoint/checkpoint.h"
#include "worker/checkpoint/checkpoint_writer.h"
#include "worker/checkpoint/trial_hash.h"
#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Checkpoint checkpoint_of(int epoch) {
  return {epoch,
          protocol::content_hash("a trial"),
          {"weights", std::string(5000, 'm'), ""},
          "a line\n",
          "cpu in float32",
          "{}"};
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(CheckpointFolder, GivesBackWhatWasWritten) {
  const test::TemporaryFolder temporary;
  const CheckpointFolder folder(temporary.path() / "made/when/needed");
  const std::string written = folder.write(checkpoint_of(3));
  std::string hash;
  const Checkpoint read = folder.read(3, &hash);
  EXPECT_EQ(read.epoch, 3);
  EXPECT_EQ(read.trial_hash, checkpoint_of(3).trial_hash);
  EXPECT_EQ(read.blobs, checkpoint_of(3).blobs);
  EXPECT_EQ(read.history, "a line\n");
  EXPECT_EQ(read.computed_by, "cpu in float32");
  EXPECT_EQ(read.layout, "{}");
  EXPECT_EQ(hash, written);
  const std::string content = content_of(temporary.path() / "made/when/needed/epoch-3.ckpt");
  EXPECT_EQ(hash, protocol::content_hash(content.substr(0, content.size() - 32)));
}

TEST(CheckpointFolder, KeepsTheTwoNewest) {
  const test::TemporaryFolder temporary;
  const CheckpointFolder folder(temporary.path());
  for (const int epoch : {8, 9, 10, 11}) folder.write(checkpoint_of(epoch));
  EXPECT_THAT(folder.epochs(), ElementsAre(11, 10));
}

TEST(CheckpointFolder, RemovesWhatAnInterruptedWriteLeft) {
  const test::TemporaryFolder temporary;
  std::ofstream(temporary.path() / "epoch-4.ckpt.tmp") << "half";
  std::ofstream(temporary.path() / "notes.txt") << "mine";
  const CheckpointFolder folder(temporary.path());
  EXPECT_FALSE(fs::exists(temporary.path() / "epoch-4.ckpt.tmp"));
  EXPECT_TRUE(fs::exists(temporary.path() / "notes.txt"));
  EXPECT_TRUE(folder.epochs().empty());
}

TEST(CheckpointFolder, EveryDamageIsFound) {
  const test::TemporaryFolder temporary;
  const CheckpointFolder folder(temporary.path());
  folder.write(checkpoint_of(1));
  const fs::path path = temporary.path() / "epoch-1.ckpt";
  const std::string good = content_of(path);
  const auto put = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  };
  for (std::size_t at = 0; at < good.size(); at += at < 100 ? 1 : 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    put(bad);
    EXPECT_THROW(folder.read(1, nullptr), CheckpointError) << "byte " << at << " altered";
    put(good.substr(0, at));
    EXPECT_THROW(folder.read(1, nullptr), CheckpointError) << "cut to " << at;
  }
  put(good + "x");
  EXPECT_THROW(folder.read(1, nullptr), CheckpointError);
  put(good);
  EXPECT_NO_THROW(folder.read(1, nullptr));
  EXPECT_THROW(folder.read(2, nullptr), CheckpointError);
}

TEST(CheckpointFolder, SaysWhereItCannotWrite) {
  const test::TemporaryFolder temporary;
  std::ofstream(temporary.path() / "file") << "in the way";
  try {
    const CheckpointFolder folder(temporary.path() / "file/folder");
    FAIL() << "no error";
  } catch (const TrainerError& error) {
    EXPECT_THAT(error.what(), HasSubstr("file/folder"));
  }
}

TEST(TrialHash, TellsTrialsApartAndIgnoresTheAttempt) {
  protocol::Start start = test::small_choice_sets(4);
  const std::string hash = trial_hash(start);
  start.attempt = 5;
  start.threads = 3;
  start.committed_epochs = 2;
  start.parameters["epochs"] = 40;  // how long, not how
  EXPECT_EQ(trial_hash(start), hash);
  start.parameters["beta1"] = 0.9;  // its default
  EXPECT_EQ(trial_hash(start), hash);
  protocol::Start other = start;
  other.parameters["lr"] = 0.1;
  EXPECT_NE(trial_hash(other), hash);
  other = start;
  other.seed = 99;
  EXPECT_NE(trial_hash(other), hash);
  other = start;
  other.early_stopping = protocol::EarlyStopping{"val_mse"};
  EXPECT_NE(trial_hash(other), hash);
}

// In full what was hashed before tasks got more parameters, and before epochs were a budget.
TEST(TrialHash, OfEarlierVersionsIsKnown) {
  protocol::Start start;
  start.task = "cifar10";
  start.seed = 3;
  start.parameters = {{"model", "cnn3"},
                      {"optimizer", "adam"},
                      {"epochs", 2},
                      {"dropout", 0.0},
                      {"initialization", "own"},
                      {"batch_norm_momentum", 0.1},
                      {"batch_norm_epsilon", 1e-5}};
  const auto hash = [](const std::string& parameters) {
    return protocol::content_hash(
        R"({"parameters":{"dropout":0.0,)" + parameters +
        R"("model":"cnn3","optimizer":"adam"},"seed":3,"task":"cifar10"})");
  };
  EXPECT_THAT(earlier_trial_hashes(start), ElementsAre(hash(""), hash(R"("epochs":2,)")));
  start.parameters["batch_norm_epsilon"] = 1e-3;
  EXPECT_THAT(earlier_trial_hashes(start), Not(Contains(hash(""))));
}

protocol::Epoch message_of(int epoch) {
  protocol::Epoch message;
  message.epoch = epoch;
  return message;
}

TEST(CheckpointWriter, SendsAnEpochOnlyWhenItsCheckpointIsThere) {
  const test::TemporaryFolder temporary;
  const CheckpointFolder folder(temporary.path());
  test::Messages messages;
  messages.on_message = [&](const protocol::FromTrainer& message) {
    const auto& epoch = std::get<protocol::Epoch>(message);
    EXPECT_TRUE(fs::exists(temporary.path() / epoch.checkpoint));
    std::string hash;
    EXPECT_GE(folder.read(folder.epochs().front(), &hash).epoch, epoch.epoch);
    EXPECT_EQ(epoch.checkpoint_hash, hash);
  };
  const Send send = messages.sender();
  {
    CheckpointWriter writer(folder, send);
    for (int epoch = 1; epoch <= 3; ++epoch) {
      writer.submit(checkpoint_of(epoch), message_of(epoch));
      writer.flush();
    }
  }
  EXPECT_EQ(messages.of<protocol::Epoch>().size(), 3u);
}

// The first message's receiver holds the writer until three more snapshots wait.
TEST(CheckpointWriter, SnapshotsThatWaitAreWrittenAsOne) {
  const test::TemporaryFolder temporary;
  const CheckpointFolder folder(temporary.path());
  std::mutex mutex;
  std::condition_variable changed;
  bool all_submitted = false;
  test::Messages messages;
  messages.on_message = [&](const protocol::FromTrainer&) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return all_submitted; });
  };
  const Send send = messages.sender();
  CheckpointWriter writer(folder, send);
  writer.submit(checkpoint_of(1), message_of(1));
  while (folder.epochs().empty()) std::this_thread::yield();
  for (int epoch = 2; epoch <= 4; ++epoch) writer.submit(checkpoint_of(epoch), message_of(epoch));
  {
    const std::lock_guard lock(mutex);
    all_submitted = true;
  }
  changed.notify_all();
  writer.flush();
  EXPECT_THAT(folder.epochs(), ElementsAre(4, 1));
  std::vector<std::string> files;
  for (const auto& epoch : messages.of<protocol::Epoch>()) files.push_back(epoch.checkpoint);
  EXPECT_THAT(files, ElementsAre("epoch-1.ckpt", "epoch-4.ckpt", "epoch-4.ckpt", "epoch-4.ckpt"));
}

TEST(CheckpointWriter, ReportsAWriteThatFailed) {
  const test::TemporaryFolder temporary;
  const CheckpointFolder folder(temporary.path() / "gone");
  fs::remove(temporary.path() / "gone");
  test::Messages messages;
  const Send send = messages.sender();
  CheckpointWriter writer(folder, send);
  writer.submit(checkpoint_of(1), message_of(1));
  EXPECT_THROW(writer.flush(), TrainerError);
  EXPECT_THROW(writer.submit(checkpoint_of(2), message_of(2)), TrainerError);
  EXPECT_TRUE(messages.all().empty());
}

}  // namespace
}  // namespace windrow::worker
