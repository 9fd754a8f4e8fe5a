#include <gtest/gtest.h>

#include "protocol/hash.h"
#include "protocol/lines.h"
#include "protocol/wire.h"
#include "tests/protocol/samples.h"

namespace windrow::protocol {
namespace {

TEST(Wire, EveryMessageSurvivesTheRoundTrip) {
  for (const ToAgent& message : samples::to_agent())
    EXPECT_EQ(decode_to_agent(encode(message)), message) << message.index();
  for (const FromAgent& message : samples::from_agent())
    EXPECT_EQ(decode_from_agent(encode(message)), message) << message.index();
}

TEST(Wire, SamplesCoverEveryAlternative) {
  EXPECT_EQ(samples::to_agent().size(), std::variant_size_v<ToAgent>);
  EXPECT_EQ(samples::from_agent().size(), std::variant_size_v<FromAgent>);
  EXPECT_EQ(samples::to_trainer().size(), std::variant_size_v<ToTrainer>);
  EXPECT_EQ(samples::from_trainer().size(), std::variant_size_v<FromTrainer>);
}

TEST(Wire, EveryTruncationIsRefused) {
  for (const FromAgent& message : samples::from_agent()) {
    const auto bytes = encode(message);
    for (std::size_t n = 0; n < bytes.size(); ++n)
      EXPECT_THROW(decode_from_agent(std::span(bytes).first(n)), ProtocolError) << n;
  }
}

// Found by the fuzzer, as the next one: the library calls itself for each level.
TEST(Wire, ListsInListsWithoutEndAreRefused) {
  for (const std::uint8_t list : {0x81, 0x9f}) {  // of one, and of an unknown number
    const std::vector<std::uint8_t> bytes(10'000'000, list);
    EXPECT_THROW(decode_from_agent(bytes), ProtocolError);
  }
  std::vector<std::uint8_t> objects;
  for (int i = 0; i < 1'000'000; ++i) objects.insert(objects.end(), {0xa1, 0x60});  // {"": {"": ...
  EXPECT_THROW(decode_from_agent(objects), ProtocolError);
  Json deep = 1;
  for (int i = 0; i < 500; ++i) deep = Json::array({deep});
  const FromAgent message =
      AttemptFinished{SlotId{1}, {.trial = TrialId{2}, .artefacts = {{"a", deep}}}};
  EXPECT_EQ(decode_from_agent(encode(message)), message);
}

// Of an array that claims so many elements the decoder throws by itself.
TEST(Wire, SizesBeyondAllMemoryAreRefused) {
  const std::vector<std::uint8_t> array = {0x9b, 0x8b, 0x9e, 0x96, 0x93, 0x9a, 0x8b, 0x72, 0x69};
  const std::vector<std::uint8_t> map = {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
  for (const auto& bytes : {array, map}) {
    EXPECT_THROW(decode_from_agent(bytes), ProtocolError);
    EXPECT_THROW(decode_to_agent(bytes), ProtocolError);
  }
}

TEST(Hash, KnownValuesAndPieces) {
  // XXH3-128 of no input, from the reference implementation's test vectors.
  EXPECT_EQ(content_hash(""), "99aa06d3014798d86001c324468d497f");
  Hasher hasher;
  hasher.update("wind");
  hasher.update("row");
  EXPECT_EQ(hasher.hex(), content_hash("windrow"));
  EXPECT_NE(content_hash("windrow"), content_hash("windroW"));
}

TEST(Wire, AHelloOfAnotherVersionIsKnownByItsVersionWhateverElseItHas) {
  const Json hello = {"hello", {{"version", "9.9"}, {"host", "n1"}, {"slots", "in another form"}}};
  const FromAgent decoded = decode_from_agent(Json::to_cbor(hello));
  EXPECT_EQ(std::get<Hello>(decoded).version, "9.9");
  EXPECT_EQ(std::get<Hello>(decoded).host, "n1");
}

}  // namespace
}  // namespace windrow::protocol
