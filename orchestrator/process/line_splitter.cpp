#include "orchestrator/process/line_splitter.h"

#include <utility>

#include "protocol/utf8.h"

namespace windrow {

void LineSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    if (end == bytes.npos) return keep(bytes);
    after_cr_ = bytes[end] == '\r';
    end_line(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::finish() {
  dropping_ = false;
  if (!partial_.empty()) hand_on(std::exchange(partial_, {}));
}

void LineSplitter::keep(std::string_view part) {
  if (dropping_) return;
  if (on_too_long_) {
    if (partial_.size() + part.size() > limit_) {
      dropping_ = true;
      partial_ = {};
      on_too_long_();
      return;
    }
  } else {
    for (; partial_.size() + part.size() > limit_;) {
      const std::size_t room = limit_ - partial_.size();
      partial_ += part.substr(0, room);
      part.remove_prefix(room);
      hand_on(std::exchange(partial_, {}));
    }
  }
  partial_ += part;
}

void LineSplitter::end_line(std::string_view last_part) {
  if (partial_.empty() && !dropping_ && last_part.size() <= limit_) return hand_on(last_part);
  keep(last_part);
  if (!std::exchange(dropping_, false)) hand_on(std::exchange(partial_, {}));
}

void LineSplitter::hand_on(std::string_view line) {
  if (protocol::utf8_prefix(line) == line.size())
    on_line_(line);
  else
    on_line_(protocol::valid_utf8(line));
}

}  // namespace windrow
