// What a Python program's text imports, by its import statements alone: nothing is run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windrow::origin {

struct PythonImport {
  int level = 0;                   // dots before the module: 1 is the file's own package
  std::string module;              // "a.b"; "" in `from . import x`
  std::vector<std::string> names;  // of `from module import names`, which may be modules too
  friend bool operator==(const PythonImport&, const PythonImport&) = default;
};

// In the order of the text. A line in a string that looks like an import counts as one.
std::vector<PythonImport> python_imports(std::string_view text);

}  // namespace windrow::origin
