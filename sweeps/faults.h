// All that is wrong with a study file, collected so that it can be said at once. Internal to
// sweeps/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sweeps/yaml_tree.h"

namespace windrow::sweeps {

class Faults {
 public:
  // `source` names the file, or the --set argument.
  explicit Faults(std::string source) : source_(std::move(source)) {}

  // An unknown place leaves line and column out; an empty key leaves the key out. `message` says
  // what is wrong with which value, and what to do.
  void add(Place place, std::string_view key, const std::string& message);

  // Takes those of `other` over, without their places: within a --set argument there are none.
  void add_unplaced(const Faults& other);

  bool empty() const { return lines_.empty(); }

  // Throws StudyError if there are any: one line each, in the order of the file.
  void raise() const;

 private:
  struct Line {
    Place place;
    std::string text;  // "key: message"
    std::string source;
  };
  std::string source_;
  std::vector<Line> lines_;
};

}  // namespace windrow::sweeps
