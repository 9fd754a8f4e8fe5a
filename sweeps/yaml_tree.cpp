#include "sweeps/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <map>
#include <sstream>

#include "protocol/utf8.h"

namespace windrow::sweeps {
namespace {

Place to_place(const YAML::Mark& mark) {
  return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

// yaml-cpp's own YAML::Node would drop the places of keys; its events have them.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}
  YamlNode root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      throw YamlFault{to_place(mark), "a second document begins here; keep one study in a file"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({.kind = YamlNode::Kind::null, .place = to_place(mark), .written = stands_at(mark)},
        anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw YamlFault{to_place(mark), "an alias stands within its own anchor; write the value out"};
    count(found->second, mark);
    YamlNode copy = found->second;
    copy.place = to_place(mark);
    add(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    add({.kind = YamlNode::Kind::scalar,
         .place = to_place(mark),
         .text = value,
         .quoted = tag == "!" || tag == kStringTag},
        anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  static constexpr const char* kStringTag = "tag:yaml.org,2002:str";

  struct Open {  // a list or map that has begun and not ended
    YamlNode node;
    YAML::anchor_t anchor;
    YamlNode key;
    bool has_key = false;
  };

  // Whether a null is written out where the mark is; of one that isn't, the mark is that of
  // whatever comes next.
  bool stands_at(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.pos < 0) return false;
    const std::string_view rest =
        text_.substr(std::min(text_.size(), static_cast<std::size_t>(mark.pos)));
    for (const char* word : {"~", "null", "Null", "NULL"})
      if (rest.starts_with(word)) return true;
    return false;
  }
  // Aliases of aliases make much of little.
  void count(const YamlNode& copied, const YAML::Mark& mark) {
    nodes_ += size_of(copied);
    if (nodes_ > kMostNodes)
      throw YamlFault{to_place(mark), "its aliases stand for more than " +
                                          std::to_string(kMostNodes) +
                                          " values in all; write out what is meant"};
  }
  static std::size_t size_of(const YamlNode& node) {
    std::size_t size = 1;
    for (const YamlNode& item : node.items) size += size_of(item);
    for (const YamlEntry& entry : node.entries) size += 1 + size_of(entry.value);
    return size;
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == kStringTag) return;
    throw YamlFault{to_place(mark), "the tag " + tag + " is not understood; remove it"};
  }
  void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    open_.push_back({.node = {.kind = kind, .place = to_place(mark)}, .anchor = anchor});
  }
  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.kind == YamlNode::Kind::sequence) {
      open.node.items.push_back(std::move(node));
    } else if (!open.has_key) {
      open.key = std::move(node);
      open.has_key = true;
    } else {
      // The mark of a value that isn't there is that of whatever comes next.
      if (node.kind == YamlNode::Kind::null && node.place.line > open.key.place.line)
        node.place = open.key.place;
      open.node.entries.push_back({std::move(open.key), std::move(node)});
      open.has_key = false;
    }
  }

  std::string_view text_;
  std::size_t nodes_ = 0;  // copied by aliases
  int documents_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
};

// yaml-cpp takes some control characters for the end of the text, and lets broken UTF-8 through.
void refuse_bad_characters(std::string_view text) {
  const std::size_t valid = protocol::utf8_prefix(text);
  Place place{1, 1};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_control =
        (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f;
    if (i == valid || is_control)
      throw YamlFault{place, "the byte " + std::to_string(byte) +
                                 " here is no text; a study file is UTF-8 without control "
                                 "characters, remove it"};
    place = byte == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + 1};
  }
}

bool indented_with_tab(const std::string& text, int line) {
  std::istringstream lines(text);
  std::string current;
  for (int number = 1; std::getline(lines, current); ++number) {
    if (number != line) continue;
    const auto content = current.find_first_not_of(" \t");
    return current.substr(0, content).find('\t') != std::string::npos;
  }
  return false;
}

bool is_digits(std::string_view text, std::string_view digits) {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789";
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (!power.empty() && (power[0] == '-' || power[0] == '+')) power.remove_prefix(1);
    if (!is_digits(power, kDigits)) return false;
    text = text.substr(0, exponent);
  }
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return is_digits(text, kDigits);
  const std::string_view whole = text.substr(0, dot), fraction = text.substr(dot + 1);
  if (whole.empty()) return is_digits(fraction, kDigits);
  return is_digits(whole, kDigits) && (fraction.empty() || is_digits(fraction, kDigits));
}

Json integer(std::string_view digits, int base, bool negative, const std::string& text,
             Place place) {
  std::uint64_t magnitude = 0;
  const auto result =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  constexpr std::uint64_t kLargest = 0x7fffffffffffffff;
  if (result.ec != std::errc{} || magnitude > kLargest)
    throw YamlFault{place, text +
                               " doesn't fit a 64-bit integer; give a smaller number, or quote "
                               "it if it is a string"};
  const auto value = static_cast<std::int64_t>(magnitude);
  return negative ? -value : value;
}

}  // namespace

YamlNode parse_yaml(const std::string& text) {
  refuse_bad_characters(text);
  std::istringstream in(text);
  TreeBuilder builder(text);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const Place place = to_place(error.mark);
    if (indented_with_tab(text, place.line))
      throw YamlFault{{place.line, 1}, "a tab indents this line; YAML wants spaces there"};
    throw YamlFault{place, "this is not well-formed YAML: " + error.msg +
                               "; look at this line and the one before for a missing bracket, "
                               "quote or colon, or a wrong indentation"};
  }
  return std::move(builder.root);
}

Json plain_scalar_value(const std::string& text, Place place) {
  const std::string_view view = text;
  if (view.empty() || view == "~" || view == "null" || view == "Null" || view == "NULL")
    return nullptr;
  if (view == "true" || view == "True" || view == "TRUE") return true;
  if (view == "false" || view == "False" || view == "FALSE") return false;
  if (view.starts_with("0o") && is_digits(view.substr(2), "01234567"))
    return integer(view.substr(2), 8, false, text, place);
  if (view.starts_with("0x") && is_digits(view.substr(2), "0123456789abcdefABCDEF"))
    return integer(view.substr(2), 16, false, text, place);
  const bool has_sign = view[0] == '-' || view[0] == '+';
  const std::string_view magnitude = view.substr(has_sign);
  if (is_digits(magnitude, "0123456789"))
    return integer(magnitude, 10, view[0] == '-', text, place);
  if (magnitude == ".inf" || magnitude == ".Inf" || magnitude == ".INF" || view == ".nan" ||
      view == ".NaN" || view == ".NAN")
    throw YamlFault{place, text + " is no finite number; give a finite one"};
  if (!is_float(view)) return text;
  double value = 0;
  const char* begin = view.data() + (view[0] == '+');  // from_chars knows no plus sign
  if (std::from_chars(begin, view.data() + view.size(), value).ec != std::errc{})
    throw YamlFault{place, text +
                               " doesn't fit a 64-bit floating-point number; give one between "
                               "1e-307 and 1e308"};
  return value;
}

Json scalar_value(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return nullptr;
  return node.quoted ? Json(node.text) : plain_scalar_value(node.text, node.place);
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "no value";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      break;
  }
  try {
    return scalar_value(node).dump();
  } catch (const YamlFault&) {  // .inf and its like
    return node.text;
  }
}

}  // namespace windrow::sweeps
