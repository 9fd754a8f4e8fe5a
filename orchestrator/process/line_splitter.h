// Bytes of a pipe cut into lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace windrow {

// A line ends at "\n", "\r\n" or "\r" (with which progress bars write over what they wrote). Lines
// are handed on without their end, and as valid UTF-8. A line that is longer than the limit is
// never kept in memory: on_too_long is told once, as soon as it is known, and the line is dropped;
// where on_too_long is empty, its parts are handed on as lines.
class LineSplitter {
 public:
  using OnLine = std::function<void(std::string_view)>;

  LineSplitter(std::size_t limit_bytes, OnLine on_line, std::function<void()> on_too_long = {})
      : limit_(limit_bytes), on_line_(std::move(on_line)), on_too_long_(std::move(on_too_long)) {}

  void feed(std::string_view bytes);
  void finish();  // the end of the pipe: hands on a last line that has no end

 private:
  void keep(std::string_view part);
  void end_line(std::string_view last_part);
  void hand_on(std::string_view line);

  std::size_t limit_;
  OnLine on_line_;
  std::function<void()> on_too_long_;
  std::string partial_;
  bool dropping_ = false;  // inside a line that is too long
  bool after_cr_ = false;  // a "\n" that comes next belongs to the end that was seen
};

}  // namespace windrow
