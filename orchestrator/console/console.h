// What a person sees on stderr: log lines, and below them, on a terminal, a block that is redrawn.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace windrow {

class Console {
 public:
  enum class Verbosity { quiet, normal, debug };

  explicit Console(Verbosity verbosity = Verbosity::normal);
  ~Console();  // leaves the last block standing
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // level: debug, info, warning, error. Goes above the block.
  void log(const std::string& level, const std::string& text);

  // Draws the block anew in place of the last one; only on a terminal.
  void redraw(const std::vector<std::string>& lines);

  bool terminal() const { return terminal_; }
  bool colours() const { return colours_; }
  int width() const;  // of the terminal, in columns
  Verbosity verbosity() const { return verbosity_; }

 private:
  void erase_block();

  Verbosity verbosity_;
  bool terminal_;
  bool colours_;
  std::size_t drawn_lines_ = 0;
  std::vector<std::string> block_;
};

}  // namespace windrow
