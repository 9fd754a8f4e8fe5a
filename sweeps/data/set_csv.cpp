#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "sweeps/data/set_readers.h"

namespace windrow::sweeps {
namespace {

using std::to_string;

float feature(const CsvTable& table, std::int64_t row, std::int64_t column) {
  const double value = table.at(row, column);
  if (!fits_float(value))
    refuse_line(table.file, table.line_of(row),
                table.name_of(column) + " is " + shown(value) +
                    ", too large for a 32-bit float; scale the feature");
  return static_cast<float>(value);
}

// The column so named, or -1.
std::int64_t column_named(const CsvTable& table, const char* name) {
  const auto found = std::ranges::find(table.header, name);
  return found == table.header.end() ? -1 : found - table.header.begin();
}

// Whether (row, column) says 1 and not 0.
bool flag(const CsvTable& table, std::int64_t row, std::int64_t column) {
  const double value = table.at(row, column);
  if (value != 0 && value != 1)
    refuse_line(table.file, table.line_of(row),
                table.name_of(column) + " is " + shown(value) +
                    "; of the items' choices one is 1 and the others are 0");
  return value == 1;
}

void check_one_chosen(const CsvTable& table, std::int64_t row, std::int64_t chosen) {
  if (chosen != 1)
    refuse_line(
        table.file, table.line_of(row),
        "the set has " + to_string(chosen) + " chosen items; exactly one item's choice must be 1");
}

// ---- a row a set

struct Layout {
  std::int64_t items, features;
  bool one_hot;  // else the choice is one column, the item's number
};

Layout layout_of(const CsvTable& table, std::int64_t items) {
  const std::string columns = "has " + to_string(table.columns) + " columns";
  if (items == 0)
    refuse_file(table.file, columns +
                                " and a row a set, which doesn't tell how many items a set has; "
                                "say it with the parameter items, or write a row an item with the "
                                "columns set and choice");
  if (table.columns > items && table.columns % items == 0)
    return {items, table.columns / items - 1, true};
  if (table.columns > items && (table.columns - 1) % items == 0)
    return {items, (table.columns - 1) / items, false};
  refuse_file(table.file,
              columns + ", which doesn't fit sets of " + to_string(items) +
                  " items: features for each item, then the choice as a single column or as " +
                  to_string(items) +
                  " columns of 0 and 1; correct the parameter items or the file" +
                  " (is there an index column?)");
}

std::int64_t choice_of(const CsvTable& table, const Layout& layout, std::int64_t row) {
  const std::int64_t first = layout.items * layout.features;
  if (!layout.one_hot) {
    const double value = table.at(row, first);
    if (value < 0 || value >= static_cast<double>(layout.items) || value != std::floor(value))
      refuse_line(table.file, table.line_of(row),
                  table.name_of(first) + " is " + shown(value) +
                      ", but a choice is the number of an item, 0 to " +
                      to_string(layout.items - 1));
    return static_cast<std::int64_t>(value);
  }
  std::int64_t choice = 0, chosen = 0;
  for (std::int64_t i = 0; i < layout.items; ++i) {
    if (!flag(table, row, first + i)) continue;
    choice = i;
    ++chosen;
  }
  check_one_chosen(table, row, chosen);
  return choice;
}

SetData read_rows_of_sets(const CsvTable& table, const SetFile& from) {
  const Layout layout = layout_of(table, from.items);
  const std::int64_t values = layout.items * layout.features;
  if (const std::int64_t named = column_named(table, "choice"); named >= 0 && named != values)
    refuse_line(table.file, 1, table.name_of(named) + " must be the last one where a row is a set");
  std::vector<std::int64_t> features;
  for (std::int64_t column = 0; column < values; ++column) features.push_back(column);
  refuse_index_columns(table, features);

  SetData data{table.rows, layout.items, layout.features, {}, {}, ""};
  data.x.reserve(static_cast<std::size_t>(table.rows * values));
  for (std::int64_t row = 0; row < table.rows; ++row) {
    for (std::int64_t column = 0; column < values; ++column)
      data.x.push_back(feature(table, row, column));
    data.choice.push_back(choice_of(table, layout, row));
  }
  return data;
}

// ---- a row an item

struct ItemColumns {
  std::int64_t set, choice;
  std::vector<std::int64_t> features;
};

ItemColumns item_columns(const CsvTable& table) {
  ItemColumns columns{column_named(table, "set"), column_named(table, "choice"), {}};
  if (columns.choice < 0)
    refuse_line(table.file, 1,
                "there is a column set but no column choice; name the column that is 1 for the "
                "chosen item so");
  const std::int64_t item = column_named(table, "item");
  for (std::int64_t column = 0; column < table.columns; ++column)
    if (column != columns.set && column != columns.choice && column != item)
      columns.features.push_back(column);
  if (columns.features.empty())
    refuse_line(table.file, 1, "has no features: every column beside set, item and choice is one");
  refuse_index_columns(table, columns.features);
  return columns;
}

// The rows of the set that begins at `first` are first .. end-1.
std::int64_t end_of_set(const CsvTable& table, std::int64_t column, std::int64_t first) {
  std::int64_t end = first + 1;
  while (end < table.rows && table.at(end, column) == table.at(first, column)) ++end;
  return end;
}

SetData read_rows_of_items(const CsvTable& table) {
  const ItemColumns columns = item_columns(table);
  SetData data;
  data.features = static_cast<std::int64_t>(columns.features.size());
  data.items = end_of_set(table, columns.set, 0);
  std::unordered_set<double> seen;
  for (std::int64_t first = 0, end; first < table.rows; first = end) {
    end = end_of_set(table, columns.set, first);
    const std::string name = "set " + shown(table.at(first, columns.set));
    if (!seen.insert(table.at(first, columns.set)).second)
      refuse_line(table.file, table.line_of(first),
                  name +
                      " was there before; the rows of a set must follow one another: sort the "
                      "file by set");
    if (end - first != data.items)
      refuse_line(table.file, table.line_of(first),
                  name + " has " + to_string(end - first) + " items, but the first set has " +
                      to_string(data.items) + "; all sets need as many");
    std::int64_t chosen = 0;
    for (std::int64_t row = first; row < end; ++row) {
      for (const std::int64_t column : columns.features)
        data.x.push_back(feature(table, row, column));
      if (!flag(table, row, columns.choice)) continue;
      if (chosen++ == 0) data.choice.push_back(row - first);
    }
    check_one_chosen(table, first, chosen);
  }
  if (data.items < 2)
    refuse_file(table.file,
                "has sets of a single item; give the items of a set the same number in column set");
  data.sets = static_cast<std::int64_t>(data.choice.size());
  return data;
}

}  // namespace

SetData read_set_csv(const SetFile& from) {
  const CsvTable table = read_csv(from.file);
  return column_named(table, "set") >= 0 ? read_rows_of_items(table)
                                         : read_rows_of_sets(table, from);
}

}  // namespace windrow::sweeps
