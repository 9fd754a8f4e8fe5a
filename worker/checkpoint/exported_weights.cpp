#include "worker/checkpoint/exported_weights.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

namespace fs = std::filesystem;
using protocol::Json;

constexpr std::size_t kElementBytes = sizeof(float);

struct TensorBytes {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
};

[[noreturn]] void fail(const Checkpoint& checkpoint, const std::string& what) {
  throw CheckpointError("checkpoint " + checkpoint_name(checkpoint.epoch) +
                        " can't be exported: " + what);
}

// `first`: the blob that the layout's blob 0 is.
std::vector<TensorBytes> tensors_of(const Checkpoint& checkpoint, const Json& layout,
                                    std::size_t first) {
  std::vector<TensorBytes> tensors;
  for (const Json& place : layout.at("tensors")) {
    TensorBytes& tensor = tensors.emplace_back();
    tensor.name = place.at(0).get<std::string>();
    tensor.shape = place.at(1).get<std::vector<std::int64_t>>();
    std::size_t elements = 1;
    for (const std::int64_t size : tensor.shape) elements *= static_cast<std::size_t>(size);
    const std::string& blob = checkpoint.blobs.at(first + place.at(2).get<std::size_t>());
    const std::size_t begin = place.at(3).get<std::size_t>() * kElementBytes;
    if (begin + elements * kElementBytes > blob.size())
      fail(checkpoint, tensor.name + " lies outside of what it has");
    tensor.bytes = std::string_view(blob).substr(begin, elements * kElementBytes);
  }
  return tensors;
}

}  // namespace

std::string safetensors_of(const Checkpoint& checkpoint,
                           const std::map<std::string, std::string>& metadata) {
  const Json layout = Json::parse(checkpoint.layout, nullptr, /*allow_exceptions=*/false);
  if (!layout.is_object() || layout.at("tensors").empty())
    fail(checkpoint,
         "it was written by a version that does not record what its tensors are; one "
         "more epoch (raise `epochs` in the study) writes a checkpoint that does");
  const auto weights = layout.at("weights").get<std::size_t>();
  const auto state = layout.at("state").get<std::size_t>();
  const bool has_best = checkpoint.blobs.size() >= state + weights;
  Json header;
  header["__metadata__"] = metadata;
  header["__metadata__"]["format"] = "pt";
  header["__metadata__"]["epochs"] = std::to_string(checkpoint.epoch);
  header["__metadata__"]["weights"] = has_best ? "best epoch" : "last epoch";
  std::string data;
  for (const TensorBytes& tensor : tensors_of(checkpoint, layout, has_best ? state : 0)) {
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
    data += tensor.bytes;
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the elements are aligned
  const std::uint64_t size = text.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);  // little-endian, as all that we run on
  return file + text + data;
}

void export_weights(const fs::path& folder, const fs::path& file,
                    const std::map<std::string, std::string>& metadata) {
  if (!fs::is_directory(folder))
    throw CheckpointError("there is no checkpoint: " + folder.string() + " is not there");
  const CheckpointFolder checkpoints(folder);
  std::string fault = "there is no checkpoint in " + folder.string();
  for (const int epoch : checkpoints.epochs()) {
    Checkpoint checkpoint;
    try {
      checkpoint = checkpoints.read(epoch, nullptr);
    } catch (const CheckpointError& error) {
      fault = error.what();
      continue;
    }
    const fs::path temporary = file.string() + ".tmp";
    std::ofstream out(temporary, std::ios::binary);
    out << safetensors_of(checkpoint, metadata) << std::flush;
    std::error_code error;
    if (!out)
      error.assign(errno, std::generic_category());
    else
      fs::rename(temporary, file, error);
    if (error)
      throw TrainerError(protocol::TrainerFailure::crash,
                         "can't write " + file.string() + ": " + error.message());
    return;
  }
  throw CheckpointError(fault);
}

}  // namespace windrow::worker
