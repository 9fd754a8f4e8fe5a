#include "orchestrator/console/console.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace windrow {
namespace {

spdlog::level::level_enum spdlog_level(const std::string& name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "warning") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return spdlog::level::info;
}

spdlog::level::level_enum lowest_level(Console::Verbosity verbosity) {
  switch (verbosity) {
    case Console::Verbosity::quiet:
      return spdlog::level::err;
    case Console::Verbosity::debug:
      return spdlog::level::debug;
    default:
      return spdlog::level::info;
  }
}

// At most so many characters of UTF-8, whole ones.
std::string cut(const std::string& line, std::size_t most) {
  std::size_t characters = 0, at = 0;
  for (; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xc0) != 0x80;
    if (begins && ++characters > most) break;
  }
  return line.substr(0, at);
}

}  // namespace

Console::Console(Verbosity verbosity)
    : verbosity_(verbosity),
      terminal_(isatty(STDERR_FILENO) == 1),
      colours_(terminal_ && std::getenv("NO_COLOR") == nullptr) {
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_st>(
      colours_ ? spdlog::color_mode::always : spdlog::color_mode::never);
  auto logger = std::make_shared<spdlog::logger>("windrow", sink);
  logger->set_pattern("%H:%M:%S %^%l%$ %v");
  logger->set_level(lowest_level(verbosity));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

Console::~Console() = default;

int Console::width() const {
  winsize size{};
  if (terminal_ && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

void Console::log(const std::string& level, const std::string& text) {
  if (!spdlog::default_logger_raw()->should_log(spdlog_level(level))) return;
  erase_block();
  spdlog::log(spdlog_level(level), "{}", text);
  const std::vector<std::string> block = std::move(block_);
  if (!block.empty()) redraw(block);
}

void Console::redraw(const std::vector<std::string>& lines) {
  if (!terminal_ || verbosity_ == Verbosity::quiet) return;
  erase_block();
  const auto columns = static_cast<std::size_t>(width());
  std::string text;
  for (const std::string& line : lines) text += cut(line, columns - 1) + "\n";
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  block_ = lines;
  drawn_lines_ = lines.size();
}

void Console::erase_block() {
  if (drawn_lines_ == 0) return;
  // From the line's beginning: the terminal writes ^C where the cursor stands.
  std::fprintf(stderr, "\r\x1b[%zuA\x1b[J", drawn_lines_);
  drawn_lines_ = 0;
}

}  // namespace windrow
