// Import statements as people write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/origin/python_imports.h"

namespace windrow::origin {

void PrintTo(const PythonImport& import, std::ostream* out) {
  *out << std::string(static_cast<std::size_t>(import.level), '.') << import.module << ":";
  for (const std::string& name : import.names) *out << " " << name;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Import = PythonImport;

TEST(PythonImports, EachForm) {
  EXPECT_THAT(python_imports("import model\n"), ElementsAre(Import{0, "model", {}}));
  EXPECT_THAT(python_imports("import a.b as c, d\n"),
              ElementsAre(Import{0, "a.b", {}}, Import{0, "d", {}}));
  EXPECT_THAT(python_imports("from a.b import c as x, d\n"),
              ElementsAre(Import{0, "a.b", {"c", "d"}}));
  EXPECT_THAT(python_imports("from . import c\nfrom ..up.er import d"),
              ElementsAre(Import{1, "", {"c"}}, Import{2, "up.er", {"d"}}));
  EXPECT_THAT(python_imports("from a import *\n"), ElementsAre(Import{0, "a", {}}));
}

TEST(PythonImports, OverSeveralLines) {
  EXPECT_THAT(python_imports("from a import (  # why\n    b,\n    c as d,\n)\nimport e\n"),
              ElementsAre(Import{0, "a", {"b", "c"}}, Import{0, "e", {}}));
  EXPECT_THAT(python_imports("from a import b, \\\n    c\nimport e\n"),
              ElementsAre(Import{0, "a", {"b", "c"}}, Import{0, "e", {}}));
}

TEST(PythonImports, WhereverTheyStand) {
  EXPECT_THAT(python_imports("x = 1; import a\nif x:\n    import b\ntry: import c\nexcept: pass\n"),
              ElementsAre(Import{0, "a", {}}, Import{0, "b", {}}, Import{0, "c", {}}));
}

TEST(PythonImports, OtherWordsAreNone) {
  EXPECT_THAT(python_imports("# import a\nimported = 1\nyield from b\nx = 'import c'\n"),
              IsEmpty());
  EXPECT_THAT(python_imports("from"), IsEmpty());
  EXPECT_THAT(python_imports("from a import (b"), ElementsAre(Import{0, "a", {"b"}}));
  EXPECT_THAT(python_imports("import\\"), IsEmpty());
}

}  // namespace
}  // namespace windrow::origin
