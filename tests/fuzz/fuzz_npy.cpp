// Arrays in NumPy's format, and sets of items in them.
#include "sweeps/data/npy.h"
#include "sweeps/data/set_file.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace windrow::sweeps;
  const std::filesystem::path file = windrow::fuzz::input_file(data, size, "x.npy");
  try {
    (void)read_npy(file);
  } catch (const DataFileError&) {
  }
  try {
    (void)read_set_file({.file = file, .choices = file, .items = 2, .features = 1});
  } catch (const DataFileError&) {
  }
  return 0;
}
