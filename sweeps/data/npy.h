// Arrays in NumPy's .npy format (numpy.lib.format, versions 1 to 3).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace windrow::sweeps {

struct NpyArray {
  std::filesystem::path file;
  std::string dtype;  // as NumPy writes it: "<f4", "|b1"
  std::vector<std::int64_t> shape;
  std::vector<double> values;  // in C order, whatever the file's

  std::string shape_text() const;                    // "[200, 5, 3]"
  std::string place_of(std::int64_t element) const;  // "[12, 3, 1]"
};

// Reads booleans, integers and floats of 32 or 64 bits, of either byte order and in C or Fortran
// order; integers must be exact in a double. Throws DataFileError that names the dtype or the size
// found, for any other dtype and for a file that is cut off or no .npy file.
NpyArray read_npy(const std::filesystem::path& file);

}  // namespace windrow::sweeps
