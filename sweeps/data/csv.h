// Tables of numbers in comma-separated text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace windrow::sweeps {

struct CsvTable {
  std::filesystem::path file;
  std::vector<std::string> header;  // the columns' names; empty where the file begins with numbers
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;  // [rows][columns], all finite
  std::int64_t first_line = 1;

  double at(std::int64_t row, std::int64_t column) const {
    return values[static_cast<std::size_t>(row * columns + column)];
  }
  std::int64_t line_of(std::int64_t row) const { return first_line + row; }
  // "column 3 (price)", counted from 1.
  std::string name_of(std::int64_t column) const;
};

// Reads a file of one row a line, every cell a finite number, every line of as many cells. A first
// line without numbers is the header; so is one of the column numbers 0, 1, 2, ... that pandas
// writes for columns without names. Spaces around cells, quotes around a whole cell, CRLF, a byte
// order mark and empty lines at the end are passed over.
// Throws DataFileError that names the line, the column and the value. Some 25 ns a number.
CsvTable read_csv(const std::filesystem::path& file);

}  // namespace windrow::sweeps
