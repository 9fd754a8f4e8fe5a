#include "worker/models/image_model.h"

#include "worker/trainer_error.h"

namespace windrow::worker {

std::unique_ptr<ImageModel> make_cnn3(const Parameters& parameters, Weights& weights);
std::unique_ptr<ImageModel> make_cnn5x5(const Parameters& parameters, Weights& weights);
std::unique_ptr<ImageModel> make_resnet(const Parameters& parameters, Weights& weights);
std::unique_ptr<ImageModel> make_resnet9(const Parameters& parameters, Weights& weights);

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<ImageModel> (*make)(const Parameters& parameters, Weights& weights);
};

constexpr Entry kModels[] = {
    {"cnn3", make_cnn3},
    {"cnn5x5", make_cnn5x5},
    {"resnet", make_resnet},
    {"resnet9", make_resnet9},
};

}  // namespace

std::unique_ptr<ImageModel> make_image_model(const std::string& name, const Parameters& parameters,
                                             Weights& weights) {
  std::string known;
  for (const Entry& entry : kModels) {
    if (name == entry.name) return entry.make(parameters, weights);
    known += std::string(known.empty() ? "" : ", ") + entry.name;
  }
  throw TrainerError(protocol::TrainerFailure::spec,
                     "there is no model \"" + name + "\" for images; known are: " + known);
}

}  // namespace windrow::worker
