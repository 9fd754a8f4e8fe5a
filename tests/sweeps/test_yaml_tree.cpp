#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweeps/yaml_tree.h"

namespace windrow::sweeps {
namespace {

// "line:column: message" of what is wrong, or "".
template <class Act>
std::string fault_of(Act act) {
  try {
    act();
  } catch (const YamlFault& fault) {
    return std::to_string(fault.place.line) + ":" + std::to_string(fault.place.column) + ": " +
           fault.message;
  }
  return "";
}

std::string place(const YamlNode& node) {
  return std::to_string(node.place.line) + ":" + std::to_string(node.place.column);
}

TEST(PlainScalar, IsTypedByTheCoreSchema) {
  EXPECT_EQ(plain_scalar_value("~"), nullptr);
  EXPECT_EQ(plain_scalar_value("Null"), nullptr);
  EXPECT_EQ(plain_scalar_value("True"), true);
  EXPECT_EQ(plain_scalar_value("false"), false);
  for (const char* text : {"12", "+12", "0o14", "0xC", "012"}) {
    EXPECT_TRUE(plain_scalar_value(text).is_number_integer()) << text;
    EXPECT_EQ(plain_scalar_value(text), 12) << text;
  }
  EXPECT_EQ(plain_scalar_value("-9223372036854775807"), -9223372036854775807);
  for (const char* text : {"1e-4", "0.0001", ".0001", "+1.0E-4", "0001.e-4"}) {
    EXPECT_TRUE(plain_scalar_value(text).is_number_float()) << text;
    EXPECT_EQ(plain_scalar_value(text), 1e-4) << text;
  }
  EXPECT_TRUE(plain_scalar_value("1.").is_number_float());
}

TEST(PlainScalar, IsAStringOtherwise) {
  for (const char* text : {"adam", "yes", "on", "1e", "e5", ".", "-", "+", "1.2.3", "0x", "1_000",
                           "1:30", "0b1", "infinity", "nan", "--1"})
    EXPECT_EQ(plain_scalar_value(text), text);
}

TEST(PlainScalar, RefusesNumbersThatAreNotFiniteOrDontFit) {
  const Place there{3, 7};
  EXPECT_EQ(fault_of([&] { plain_scalar_value(".inf", there); }),
            "3:7: .inf is no finite number; give a finite one");
  EXPECT_NE(fault_of([&] { plain_scalar_value("-.Inf", there); }), "");
  EXPECT_NE(fault_of([&] { plain_scalar_value(".NaN", there); }), "");
  EXPECT_EQ(
      fault_of([&] { plain_scalar_value("9223372036854775808", there); }),
      "3:7: 9223372036854775808 doesn't fit a 64-bit integer; give a smaller number, or quote "
      "it if it is a string");
  EXPECT_EQ(fault_of([&] { plain_scalar_value("1e999", there); }),
            "3:7: 1e999 doesn't fit a 64-bit floating-point number; give one between 1e-307 and "
            "1e308");
}

TEST(YamlTree, QuotedScalarsAreStrings) {
  const YamlNode root = parse_yaml("[5, '5', \"5\", !!str 5, ~, '~']");
  EXPECT_EQ(scalar_value(root.items[0]), 5);
  EXPECT_EQ(scalar_value(root.items[1]), "5");
  EXPECT_EQ(scalar_value(root.items[2]), "5");
  EXPECT_EQ(scalar_value(root.items[3]), "5");
  EXPECT_EQ(scalar_value(root.items[4]), nullptr);
  EXPECT_EQ(scalar_value(root.items[5]), "~");
}

TEST(YamlTree, KnowsWhereEachPartStands) {
  const YamlNode root = parse_yaml("# comment\na: 1\nb:\n  - [x, {y: 2}]\r\nc: 3\n");
  EXPECT_EQ(place(root.entries[0].key), "2:1");
  EXPECT_EQ(place(root.entries[0].value), "2:4");
  const YamlNode& list = root.entries[1].value.items[0];
  EXPECT_EQ(place(list), "4:5");
  EXPECT_EQ(place(list.items[1].entries[0].value), "4:13");
  EXPECT_EQ(place(root.entries[2].key), "5:1");
}

TEST(YamlTree, KeepsDuplicateKeysInOrder) {
  const YamlNode root = parse_yaml("a: 1\na: 2\n");
  ASSERT_EQ(root.entries.size(), 2u);
  EXPECT_EQ(root.entries[1].value.text, "2");
}

TEST(YamlTree, AliasesStandForWhatTheyName) {
  const YamlNode root = parse_yaml("a: &x {k: 1}\nb: *x\n");
  EXPECT_EQ(root.entries[1].value.entries[0].value.text, "1");
  EXPECT_EQ(place(root.entries[1].value), "2:4");
}

TEST(YamlTree, ATextWithoutContentIsNull) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "~"})
    EXPECT_EQ(parse_yaml(text).kind, YamlNode::Kind::null) << text;
}

TEST(YamlTree, RefusesWhatItCantUnderstand) {
  EXPECT_EQ(fault_of([] { parse_yaml("a: 1\n---\nb: 2\n"); }),
            "2:1: a second document begins here; keep one study in a file");
  EXPECT_EQ(fault_of([] { parse_yaml("a: !color red\n"); }),
            "1:4: the tag !color is not understood; remove it");
  EXPECT_EQ(fault_of([] { parse_yaml("grid:\n\tlr: [1]\n"); }),
            "2:1: a tab indents this line; YAML wants spaces there");
  EXPECT_EQ(fault_of([] { parse_yaml("a: b: c\n"); }),
            "1:5: this is not well-formed YAML: illegal map value; look at this line and the one "
            "before for a missing bracket, quote or colon, or a wrong indentation");
  EXPECT_EQ(fault_of([] { parse_yaml(std::string("a: 1\nb: \0 2\n", 12)); }),
            "2:4: the byte 0 here is no text; a study file is UTF-8 without control characters, "
            "remove it");
  for (const char* text : {"a: \xff", "a: \xc3", "a: \xe2\x80", "a: \x80", "a: \xc0\xaf", "a: \x7f",
                           "a: \xe0\x80\x80", "a: \xed\xa0\x80", "a: \xf4\x90\x80\x80"})
    EXPECT_THAT(fault_of([&] { parse_yaml(text); }), testing::StartsWith("1:4: the byte ")) << text;
  EXPECT_EQ(parse_yaml("a: \xe2\x82\xac \xf0\x9f\x98\x80").entries[0].value.text,
            "\xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_NE(fault_of([] { parse_yaml("a: &x [*x]\n"); }), "");
  EXPECT_NE(fault_of([] { parse_yaml(std::string(100000, '[')); }), "");
}

TEST(Describe, ShowsTheValueOrItsKind) {
  const YamlNode root = parse_yaml("[5, a b, [1], {a: 1}, ~, .inf]");
  std::vector<std::string> shown;
  for (const YamlNode& item : root.items) shown.push_back(describe(item));
  EXPECT_EQ(shown,
            (std::vector<std::string>{"5", "\"a b\"", "a list", "a map", "no value", ".inf"}));
}

}  // namespace
}  // namespace windrow::sweeps
