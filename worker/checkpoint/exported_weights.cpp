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

// Checkpoint::layout, as exported_weights.h has it.
struct Layout {
  std::size_t weights = 0, state = 0;
  struct Place {
    std::string name;
    std::vector<std::int64_t> shape;
    std::size_t blob = 0, offset = 0;
  };
  std::vector<Place> tensors;
};

Layout layout_of(const Checkpoint& checkpoint) {
  Layout layout;
  try {
    const Json json = Json::parse(checkpoint.layout);
    layout.weights = json.at("weights").get<std::size_t>();
    layout.state = json.at("state").get<std::size_t>();
    for (const Json& place : json.at("tensors"))
      layout.tensors.push_back({place.at(0).get<std::string>(),
                                place.at(1).get<std::vector<std::int64_t>>(),
                                place.at(2).get<std::size_t>(), place.at(3).get<std::size_t>()});
  } catch (const Json::exception&) {
    layout.tensors.clear();
  }
  if (layout.tensors.empty())
    fail(checkpoint,
         "it does not say what its tensors are, as those of earlier versions don't; one more epoch "
         "(raise `epochs` in the study) writes a checkpoint that does");
  return layout;
}

// `first`: the blob that the layout's blob 0 is.
std::vector<TensorBytes> tensors_of(const Checkpoint& checkpoint, const Layout& layout,
                                    std::size_t first) {
  std::vector<TensorBytes> tensors;
  for (const Layout::Place& place : layout.tensors) {
    const auto outside = [&] { fail(checkpoint, place.name + " lies outside of what it has"); };
    if (place.blob >= layout.weights || first + place.blob >= checkpoint.blobs.size()) outside();
    const std::string& blob = checkpoint.blobs[first + place.blob];
    const std::size_t room = blob.size() / kElementBytes;
    if (place.offset > room) outside();
    std::size_t elements = 1;
    for (const std::int64_t size : place.shape) {
      if (size < 0 || (size > 0 && elements > room / static_cast<std::size_t>(size))) outside();
      elements *= static_cast<std::size_t>(size);
    }
    if (elements > room - place.offset) outside();
    tensors.push_back(
        {place.name, place.shape,
         std::string_view(blob).substr(place.offset * kElementBytes, elements * kElementBytes)});
  }
  return tensors;
}

}  // namespace

std::string safetensors_of(const Checkpoint& checkpoint,
                           const std::map<std::string, std::string>& metadata) {
  const Layout layout = layout_of(checkpoint);
  const bool has_best = layout.state <= checkpoint.blobs.size() &&
                        checkpoint.blobs.size() - layout.state >= layout.weights;
  Json header;
  header["__metadata__"] = metadata;
  header["__metadata__"]["format"] = "pt";
  header["__metadata__"]["epochs"] = std::to_string(checkpoint.epoch);
  header["__metadata__"]["weights"] = has_best ? "best epoch" : "last epoch";
  std::string data;
  for (const TensorBytes& tensor : tensors_of(checkpoint, layout, has_best ? layout.state : 0)) {
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
