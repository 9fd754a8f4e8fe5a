#include "sweeps/data/set_file.h"

#include <cmath>
#include <limits>

#include "protocol/hash.h"
#include "sweeps/data/set_readers.h"

namespace windrow::sweeps {
namespace {

void check_expected(const SetFile& from, const char* key, std::int64_t given, std::int64_t has) {
  if (given == 0 || given == has) return;
  refuse_file(from.file, "has " + std::to_string(has) + " " + key + ", but the parameter " + key +
                             " is " + std::to_string(given) +
                             "; correct it, or leave it out: the file says it by itself");
}

std::string hash_of(const SetData& data) {
  protocol::Hasher hasher;
  const std::int64_t shape[] = {data.sets, data.items, data.features};
  hasher.update(shape, sizeof(shape));
  hasher.update(data.x.data(), data.x.size() * sizeof(float));
  hasher.update(data.choice.data(), data.choice.size() * sizeof(std::int64_t));
  return hasher.hex();
}

}  // namespace

bool fits_float(double value) {
  return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
}

SetData read_set_file(const SetFile& from) {
  const std::string type = from.file.extension().string();
  SetData data;
  if (type == ".csv") {
    if (!from.choices.empty())
      refuse_file(from.file, "holds its choices itself, so " + from.choices.string() +
                                 " is one file too many; choice files belong to .npy files");
    data = read_set_csv(from);
  } else if (type == ".npy") {
    if (from.choices.empty())
      refuse_file(from.file,
                  "has features only; name the .npy file of the choices as well "
                  "(train_choice_file, test_choice_file)");
    data = read_set_npy(from);
  } else {
    refuse_file(from.file, "has the ending \"" + type + "\"; sets are read from .csv and .npy");
  }
  check_expected(from, "items", from.items, data.items);
  check_expected(from, "features", from.features, data.features);
  data.hash = hash_of(data);
  return data;
}

}  // namespace windrow::sweeps
