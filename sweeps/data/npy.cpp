#include "sweeps/data/npy.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

#include "sweeps/data/data_file.h"

namespace windrow::sweeps {
namespace {

using std::string_view;

struct Header {
  std::string dtype;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::size_t data = 0;  // where the elements begin
};

std::string joined(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t n : numbers) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "[" + text + "]";
}

[[noreturn]] void refuse_format(const std::filesystem::path& file) {
  refuse_file(file, "is no .npy file; write it with numpy.save");
}

// What follows 'key': in the header, a Python dictionary.
string_view value_of(const std::filesystem::path& file, string_view dictionary, string_view key) {
  const std::size_t at = dictionary.find("'" + std::string(key) + "':");
  if (at == dictionary.npos) refuse_format(file);
  dictionary.remove_prefix(at + key.size() + 3);
  dictionary.remove_prefix(std::min(dictionary.find_first_not_of(' '), dictionary.size()));
  return dictionary;
}

std::vector<std::int64_t> parse_shape(const std::filesystem::path& file, string_view text) {
  std::vector<std::int64_t> shape;
  const std::size_t end = text.find(')');
  if (!text.starts_with('(') || end == text.npos) refuse_format(file);
  text = text.substr(1, end - 1);
  while (!text.empty()) {
    std::int64_t size = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || size < 0 || size > (std::int64_t{1} << 40)) refuse_format(file);
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
  }
  return shape;
}

Header parse_header(const std::filesystem::path& file, string_view bytes) {
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 12) refuse_format(file);
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const bool long_length = byte(6) >= 2;  // four bytes from version 2 on
  std::size_t length = byte(8) | byte(9) << 8;
  if (long_length) length |= byte(10) << 16 | byte(11) << 24;
  Header header;
  header.data = (long_length ? 12 : 10) + length;
  if (header.data > bytes.size()) refuse_file(file, "is cut off in its header; copy it again");
  const string_view dictionary = bytes.substr(header.data - length, length);
  string_view dtype = value_of(file, dictionary, "descr");
  if (!dtype.starts_with('\''))
    refuse_file(file, "has fields (a structured array); save a plain array of numbers");
  dtype.remove_prefix(1);
  header.dtype = dtype.substr(0, dtype.find('\''));
  header.fortran = value_of(file, dictionary, "fortran_order").starts_with("True");
  header.shape = parse_shape(file, value_of(file, dictionary, "shape"));
  return header;
}

// The element at `from`, whose bytes are reversed where `swap`.
template <class T>
double element(const char* from, bool swap) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  if (swap)
    for (std::size_t i = 0; i < sizeof(T) / 2; ++i) std::swap(bytes[i], bytes[sizeof(T) - 1 - i]);
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

using Element = double (*)(const char* from, bool swap);

struct Type {
  Element element;
  std::size_t size;
};

template <class T>
constexpr Type type_of() {
  return {element<T>, sizeof(T)};
}

Type find_type(const NpyArray& array) {
  const string_view code = string_view(array.dtype).substr(array.dtype.empty() ? 0 : 1);
  if (code == "f4") return type_of<float>();
  if (code == "f8") return type_of<double>();
  if (code == "b1" || code == "u1") return type_of<std::uint8_t>();
  if (code == "i1") return type_of<std::int8_t>();
  if (code == "i2") return type_of<std::int16_t>();
  if (code == "u2") return type_of<std::uint16_t>();
  if (code == "i4") return type_of<std::int32_t>();
  if (code == "u4") return type_of<std::uint32_t>();
  if (code == "i8") return type_of<std::int64_t>();
  if (code == "u8") return type_of<std::uint64_t>();
  const std::string what = code.starts_with('O') ? "Python objects" : "dtype '" + array.dtype + "'";
  refuse_file(array.file,
              "holds " + what + "; save it as numbers: numpy.save(file, x.astype('float32'))");
}

// The elements of a Fortran-order array of this shape in C order: the first index changes fastest
// in the file, the last one in `to`.
std::vector<double> from_fortran_order(const std::vector<double>& from,
                                       const std::vector<std::int64_t>& shape) {
  std::vector<double> to(from.size());
  std::vector<std::int64_t> at(shape.size());
  for (double& value : to) {
    std::int64_t offset = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) offset = offset * shape[axis] + at[axis];
    value = from[static_cast<std::size_t>(offset)];
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
  return to;
}

}  // namespace

std::string NpyArray::shape_text() const {
  return joined(shape);
}

std::string NpyArray::place_of(std::int64_t element) const {
  std::vector<std::int64_t> at(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    at[axis] = element % shape[axis];
    element /= shape[axis];
  }
  return joined(at);
}

NpyArray read_npy(const std::filesystem::path& file) {
  const std::string bytes = read_data_file(file);
  if (bytes.empty()) refuse_file(file, "is empty; write it with numpy.save");
  const Header header = parse_header(file, bytes);
  NpyArray array{file, header.dtype, header.shape, {}};
  const Type type = find_type(array);
  std::size_t count = 1;
  for (const std::int64_t size : header.shape)
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count)) refuse_format(file);
  const std::size_t have = bytes.size() - header.data;
  if (count != have / type.size || have % type.size != 0)
    refuse_file(file, "has " + std::to_string(have) + " bytes of data, but " + array.shape_text() +
                          " of dtype '" + header.dtype + "' takes " + std::to_string(type.size) +
                          " each; the file is cut off or damaged: copy or save it again");
  const bool swap =
      header.dtype.front() == (std::endian::native == std::endian::little ? '>' : '<');
  array.values.resize(count);
  const char* from = bytes.data() + header.data;
  for (double& value : array.values) {
    value = type.element(from, swap);
    from += type.size;
  }
  if (header.fortran) array.values = from_fortran_order(array.values, header.shape);
  return array;
}

}  // namespace windrow::sweeps
