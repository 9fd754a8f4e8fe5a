// Checkpoint files. The hash at the end would keep every change out: it is made anew for half of
// the inputs, so that what lies behind it is reached as well.
#include <cstdint>
#include <fstream>
#include <string>

#include "protocol/hash.h"
#include "tests/fuzz/input_file.h"
#include "worker/checkpoint/checkpoint.h"
#include "worker/checkpoint/exported_weights.h"

namespace {

void read(const std::string& content) {
  using namespace windrow::worker;
  const auto file = windrow::fuzz::input_file(reinterpret_cast<const std::uint8_t*>(content.data()),
                                              content.size(), checkpoint_name(1));
  static const CheckpointFolder folder(file.parent_path());
  try {
    (void)safetensors_of(folder.read(1, nullptr), {{"trial", "1"}});
  } catch (const CheckpointError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  read(content);
  if (size < 32) return 0;
  const std::string body = content.substr(0, size - 32);
  read(body + windrow::protocol::content_hash(body));
  return 0;
}
