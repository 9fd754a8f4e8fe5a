#include "protocol/lenient_json.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "protocol/text.h"
#include "protocol/utf8.h"

namespace windrow::protocol {
namespace {

using Json = nlohmann::json;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '+' ||
         c == '-' || c == '#' || c == '/';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Json whole() {
    Json value = read(0);
    skip_blanks();
    while (!rest_.empty() && (rest_[0] == ',' || rest_[0] == ';')) {
      rest_.remove_prefix(1);
      skip_blanks();
    }
    if (!rest_.empty()) fail("text follows");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw LenientJsonFault(rest_.empty()
                               ? std::string("it breaks off")
                               : std::string(what) + " at \"" + quote(cut_utf8(rest_, 20)) + "\"");
  }
  void skip_blanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Json read(int depth) {
    if (depth > kDeepestJson) fail("lists and objects lie too deep");
    skip_blanks();
    if (rest_.empty()) fail("");
    if (rest_[0] == '{') return object(depth);
    if (rest_[0] == '[') return list(depth);
    if (rest_[0] == '"' || rest_[0] == '\'') return string();
    return word(depth);
  }

  Json object(int depth) {
    take('{');
    Json object = Json::object();
    while (!take('}')) {
      skip_blanks();
      if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\'')) fail("a name is needed");
      std::string key = string();
      if (!take(':')) fail("a colon is needed");
      object[std::move(key)] = read(depth + 1);
      if (take('}')) return object;
      if (!take(',')) fail("a comma is needed");
    }
    return object;
  }

  Json list(int depth) {
    take('[');
    Json list = Json::array();
    while (!take(']')) {
      list.push_back(read(depth + 1));
      if (take(']')) return list;
      if (!take(',')) fail("a comma is needed");
    }
    return list;
  }

  std::string string() {
    const char mark = rest_[0];
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_[0] != mark) {
      if (rest_[0] == '\\' && rest_.size() > 1) {
        escape(text);
      } else {
        text += rest_[0];
        rest_.remove_prefix(1);
      }
    }
    if (rest_.empty()) fail("");
    rest_.remove_prefix(1);
    return valid_utf8(text);
  }

  void escape(std::string& text) {
    constexpr std::string_view kNames = "nrtbf", kMeant = "\n\r\t\b\f";
    const char c = rest_[1];
    if (const std::size_t at = kNames.find(c); at != kNames.npos) {
      text += kMeant[at];
    } else if (c == 'u' && rest_.size() >= 6) {
      // By the strict parser, which knows surrogates too.
      const std::size_t length = rest_.size() >= 12 && rest_.substr(6, 2) == "\\u" ? 12 : 6;
      for (const std::size_t n : {length, std::size_t{6}}) {
        const Json one = Json::parse('"' + std::string(rest_.substr(0, n)) + '"', nullptr, false);
        if (!one.is_string()) continue;
        text += one.get<std::string>();
        rest_.remove_prefix(n);
        return;
      }
      text += c;
    } else {
      text += c;
    }
    rest_.remove_prefix(2);
  }

  // A number or one of the words that stand for a value.
  Json word(int depth) {
    std::size_t length = 0;
    while (length < rest_.size() && is_word(rest_[length])) ++length;
    if (length == 0) fail("no value");
    const std::string_view text = rest_.substr(0, length);
    const std::string name = lower(text);
    if (name == "true" || name == "false") {
      rest_.remove_prefix(length);
      return name == "true";
    }
    if (length < rest_.size() && rest_[length] == '(') return call(name, length, depth);
    Json value;
    if (!read_number(text, value)) fail("no value");
    rest_.remove_prefix(length);
    return value;
  }

  // np.float64(0.5), nan(ind), nan(0x8000)
  Json call(const std::string& name, std::size_t length, int depth) {
    const bool no_number = name == "nan" || name == "-nan" || name == "+nan";
    const bool is_name = std::isalpha(static_cast<unsigned char>(name[0])) != 0;
    if (!no_number && !is_name) fail("no value");
    rest_.remove_prefix(length + 1);
    if (no_number) {
      const std::size_t end = rest_.find(')');
      if (end == rest_.npos) fail("a closing bracket is needed");
      rest_.remove_prefix(end + 1);
      return nullptr;
    }
    Json value = read(depth + 1);
    if (!take(')')) fail("a closing bracket is needed");
    return value;
  }

  static bool is_no_number(const std::string& name) {
    std::string_view word = name;
    if (word.starts_with('-') || word.starts_with('+')) word.remove_prefix(1);
    for (const char* one : {"nan", "inf", "infinity", "na", "n/a", "null", "none"})
      if (word == one) return true;
    return word.starts_with("1.#");  // 1.#IND, 1.#QNAN, 1.#INF
  }

  static bool read_number(std::string_view text, Json& value) {
    if (is_no_number(lower(text))) {
      value = nullptr;
      return true;
    }
    if (text.starts_with('+')) text.remove_prefix(1);
    const char* end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(text.data(), end, whole);
        read.ec == std::errc{} && read.ptr == end) {
      value = whole;
      return true;
    }
    double real = 0;
    const auto read = std::from_chars(text.data(), end, real);
    if (read.ptr != end || text.empty() || read.ec == std::errc::invalid_argument) return false;
    if (read.ec == std::errc::result_out_of_range) {  // too large for a double, or too small
      real = std::strtod(std::string(text).c_str(), nullptr);
    }
    value = std::isfinite(real) ? Json(real) : Json(nullptr);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestJson) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

nlohmann::json read_lenient_json(std::string_view text) {
  return Parser(text).whole();
}

}  // namespace windrow::protocol
