// Requests by files: asked from one thread, answered from another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <thread>

#include "orchestrator/control/requests.h"
#include "temporary_folder.h"

namespace windrow::control {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class RequestsTest : public testing::Test {
 protected:
  // The answer to what is asked while the inbox is polled.
  std::optional<std::string> answer_to(Inbox& inbox, const Request& request) {
    auto answer = std::async(std::launch::async, [&] { return ask(folder, request, 20s, [] {}); });
    while (answer.wait_for(1ms) != std::future_status::ready)
      inbox.poll([&](const Request& came) {
        seen.push_back(came);
        return "yes";
      });
    return answer.get();
  }

  const storage::TemporaryFolder home;
  const std::filesystem::path folder = requests_folder(home / "w.db");
  std::vector<Request> seen;
};

TEST_F(RequestsTest, ArriveAsTheyWereAskedAndAreAnswered) {
  {
    Inbox inbox(folder);
    struct stat facts {};
    stat(folder.c_str(), &facts);
    EXPECT_EQ(facts.st_mode & 0777, 0700u);
    const Request stop{.kind = Request::Kind::stop, .now = true, .by = "ann@\"n1\""};
    const Request cancel{.kind = Request::Kind::cancel, .trials = {TrialId{3}, TrialId{1}}};
    EXPECT_EQ(answer_to(inbox, stop), "yes");
    EXPECT_EQ(answer_to(inbox, cancel), "yes");
    EXPECT_EQ(seen, (std::vector<Request>{stop, cancel}));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(RequestsTest, OfARunBeforeAreNotThisRuns) {
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "old.json") << R"({"ask": "stop", "trials": []})";
  Inbox inbox(folder);
  inbox.poll([](const Request&) -> std::string { throw std::logic_error("it is stale"); });
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(RequestsTest, ThatCantBeReadAreAnsweredSo) {
  Inbox inbox(folder);
  std::ofstream(folder / "odd.json") << R"({"ask": "dance", "trials": []})";
  inbox.poll([](const Request&) { return "yes"; });
  std::string text;
  std::getline(std::ifstream(folder / "odd.answer") >> std::ws, text);
  EXPECT_THAT(text, HasSubstr("dance"));
  std::filesystem::remove(folder / "odd.answer");
}

TEST_F(RequestsTest, WithoutARunThereIsNobodyToAsk) {
  EXPECT_THROW(ask(folder, {}, 1s, [] {}), std::runtime_error);
}

TEST_F(RequestsTest, WhatNobodyAnswersIsTakenBack) {
  std::filesystem::create_directory(folder);
  EXPECT_EQ(ask(folder, {}, 0s, [] {}), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace windrow::control
