#include <cmath>

#include "sweeps/data/npy.h"
#include "sweeps/data/set_readers.h"

namespace windrow::sweeps {
namespace {

using std::to_string;

std::vector<float> features_of(const NpyArray& array) {
  std::vector<float> x;
  x.reserve(array.values.size());
  for (const double value : array.values) {
    if (!std::isfinite(value) || !fits_float(value))
      refuse_file(array.file,
                  "element " + array.place_of(static_cast<std::int64_t>(x.size())) + " is " +
                      shown(value) +
                      (std::isfinite(value) ? ", too large for a 32-bit float; scale the feature"
                                            : "; correct it, or leave the set out"));
    x.push_back(static_cast<float>(value));
  }
  return x;
}

std::vector<std::int64_t> numbers_of_items(const NpyArray& array, std::int64_t items) {
  std::vector<std::int64_t> choice;
  choice.reserve(array.values.size());
  for (const double value : array.values) {
    if (!(value >= 0 && value < static_cast<double>(items)) || value != std::floor(value))
      refuse_file(array.file,
                  "element " + array.place_of(static_cast<std::int64_t>(choice.size())) + " is " +
                      shown(value) + ", but a choice is the number of an item, 0 to " +
                      to_string(items - 1));
    choice.push_back(static_cast<std::int64_t>(value));
  }
  return choice;
}

std::vector<std::int64_t> from_one_hot(const NpyArray& array, std::int64_t items) {
  std::vector<std::int64_t> choice;
  const auto sets = static_cast<std::int64_t>(array.values.size()) / items;
  for (std::int64_t set = 0; set < sets; ++set) {
    std::int64_t chosen = 0;
    for (std::int64_t i = 0; i < items; ++i) {
      const double value = array.values[static_cast<std::size_t>(set * items + i)];
      if (value != 0 && value != 1)
        refuse_file(array.file, "element " + array.place_of(set * items + i) + " is " +
                                    shown(value) +
                                    "; of a set's choices one is 1 and the others are 0");
      if (value == 1 && chosen++ == 0) choice.push_back(i);
    }
    if (chosen != 1)
      refuse_file(array.file, "row " + to_string(set) + " has " + to_string(chosen) +
                                  " chosen items; exactly one must be 1");
  }
  return choice;
}

}  // namespace

SetData read_set_npy(const SetFile& from) {
  const NpyArray x = read_npy(from.file);
  if (x.shape.size() != 3 || x.shape[1] < 2 || x.shape[2] < 1)
    refuse_file(x.file, "has the shape " + x.shape_text() +
                            "; features must be [sets, items, features] with at least 2 items: "
                            "x.reshape(sets, items, features)");
  if (x.shape[0] == 0) refuse_file(x.file, "has the shape " + x.shape_text() + ": no sets");
  if (x.dtype.ends_with("b1"))
    refuse_file(x.file,
                "holds booleans; are these the choices? features are numbers: "
                "numpy.save(file, x.astype('float32'))");
  const NpyArray choice = read_npy(from.choices);
  const std::vector<std::int64_t> numbers = {x.shape[0]}, one_hot = {x.shape[0], x.shape[1]};
  if (choice.shape != numbers && choice.shape != one_hot)
    refuse_file(choice.file, "has the shape " + choice.shape_text() + ", but " + x.file.string() +
                                 " has " + x.shape_text() + "; choices must be [" +
                                 to_string(x.shape[0]) + "] or [" + to_string(x.shape[0]) + ", " +
                                 to_string(x.shape[1]) + "]");
  return {x.shape[0],
          x.shape[1],
          x.shape[2],
          features_of(x),
          choice.shape == numbers ? numbers_of_items(choice, x.shape[1])
                                  : from_one_hot(choice, x.shape[1]),
          ""};
}

}  // namespace windrow::sweeps
