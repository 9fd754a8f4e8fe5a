// A YAML document as a tree that knows where each part stands in the text. Duplicate keys are kept,
// in the order of the file, so that the reader can refuse them. Internal to sweeps/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::sweeps {

using protocol::Json;

struct Place {  // from 1; 0 = unknown
  int line = 0;
  int column = 0;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;                // of a scalar, as written or between its quotes
  bool written = false;            // a null that stands there as ~ or null
  bool quoted = false;             // a quoted or block scalar, or one tagged !!str: always a string
  std::vector<YamlNode> items;     // of a sequence
  std::vector<YamlEntry> entries;  // of a map
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

struct YamlFault {
  Place place;
  std::string message;
};

// The only document in `text`; a null node for a text without content. Throws YamlFault on
// malformed YAML, on more than one document, on control characters and on tags other than !!str.
// Aliases are replaced by copies of what they stand for, placed where the alias stands; a document
// of more than kMostNodes nodes after that is refused.
inline constexpr std::size_t kMostNodes = 1'000'000;
YamlNode parse_yaml(const std::string& text);

// A scalar's value by the core schema of YAML 1.2: null, true and false, integers (decimal, 0o,
// 0x), floating point; everything else, and what is quoted, is a string. Throws YamlFault for
// numbers that are not finite or don't fit 64 bits. Of a list or map it must not be asked.
Json scalar_value(const YamlNode& node);

// The same of a text that stands alone.
Json plain_scalar_value(const std::string& text, Place place = {});

// For messages: the scalar as JSON, or "a list", "a map", "no value".
std::string describe(const YamlNode& node);

}  // namespace windrow::sweeps
