#include "orchestrator/origin/python_imports.h"

#include <cctype>
#include <utility>

namespace windrow::origin {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The words and signs of one statement; ends at the end of the line, where no bracket is open.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }

  // "" at the end of the statement, which is then passed.
  std::string next() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '\\') {
        at_ += 2;  // the line goes on
      } else if (c == '\n' || c == ';') {
        ++at_;
        if (!open_ || c == ';') return "";
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        ++at_;
      } else if (is_word(c)) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
      } else {
        ++at_;
        if (c == '(') open_ = true;
        if (c == ')') open_ = false;
        return std::string(1, c);
      }
    }
    return "";
  }

  void skip_statement() {
    open_ = false;
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != ';') ++at_;
    ++at_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool open_ = false;
};

// `first` has been read; returns the token after it.
std::string read_module(Tokens& tokens, std::string token, std::string& module) {
  while (!token.empty() && (token == "." || is_word(token.front()))) {
    if (token == "import" || token == "as") break;
    module += token;
    token = tokens.next();
  }
  return token;
}

void read_import(Tokens& tokens, std::vector<PythonImport>& out) {
  std::string token = tokens.next();
  while (!token.empty()) {
    PythonImport one;
    token = read_module(tokens, token, one.module);
    if (!one.module.empty()) out.push_back(std::move(one));
    while (!token.empty() && token != ",") token = tokens.next();
    if (token == ",") token = tokens.next();
  }
}

void read_from(Tokens& tokens, std::vector<PythonImport>& out) {
  PythonImport one;
  std::string token = tokens.next();
  for (; token == "."; token = tokens.next()) ++one.level;
  token = read_module(tokens, token, one.module);
  if (token != "import") {
    if (!token.empty()) tokens.skip_statement();
    return;
  }
  bool renamed = false;
  for (token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == "as")
      renamed = true;
    else if (is_word(token.front()) && !std::exchange(renamed, false))
      one.names.push_back(token);
  }
  out.push_back(std::move(one));
}

}  // namespace

std::vector<PythonImport> python_imports(std::string_view text) {
  std::vector<PythonImport> imports;
  Tokens tokens(text);
  while (!tokens.at_end()) {
    const std::string word = tokens.next();
    if (word == "import")
      read_import(tokens, imports);
    else if (word == "from")
      read_from(tokens, imports);
    else if (!word.empty() && word != "try" && word != "else" && word != ":" && word != "finally")
      tokens.skip_statement();
  }
  return imports;
}

}  // namespace windrow::origin
