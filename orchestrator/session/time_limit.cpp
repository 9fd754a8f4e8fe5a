#include "orchestrator/session/time_limit.h"

#include <cctype>
#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include "orchestrator/agent/batch_job.h"
#include "orchestrator/process/program.h"

namespace windrow {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Reads `text` whole by strptime into local time; false: it has another form.
bool read(const std::string& text, const char* form, std::tm& time) {
  const char* end = strptime(text.c_str(), form, &time);
  return end != nullptr && *end == '\0';
}

WallTime to_time(std::tm local) {
  local.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&local));
}

std::optional<seconds> read_duration(const std::string& text) {
  seconds total{0};
  std::size_t at = 1;
  if (text.size() < 3 || text[0] != '+') return std::nullopt;
  while (at < text.size()) {
    long number = 0;
    const std::size_t begin = at;
    for (; at < text.size() && at - begin < 9 && std::isdigit(static_cast<unsigned char>(text[at]));
         ++at)
      number = number * 10 + (text[at] - '0');
    if (at == begin || at == text.size()) return std::nullopt;
    const char unit = text[at++];
    if (unit == 'h')
      total += hours(number);
    else if (unit == 'm')
      total += minutes(number);
    else if (unit == 's')
      total += seconds(number);
    else
      return std::nullopt;
  }
  return total;
}

}  // namespace

WallTime parse_until(const std::string& text, WallTime now) {
  if (const auto duration = read_duration(text)) return now + *duration;
  const std::time_t clock = std::chrono::system_clock::to_time_t(now);
  std::tm today{};
  localtime_r(&clock, &today);
  today.tm_sec = 0;
  for (const char* form : {"%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"}) {
    std::tm time{};
    if (!read(text, form, time)) continue;
    if (to_time(time) <= now)
      throw std::runtime_error("--until " + text + ": that time is over; give a later one");
    return to_time(time);
  }
  for (const char* form : {"%H:%M", "%H:%M:%S"}) {
    std::tm time = today;
    if (!read(text, form, time)) continue;
    if (to_time(time) > now) return to_time(time);
    ++time.tm_mday;
    return to_time(time);
  }
  throw std::runtime_error("--until " + text +
                           ": is no time; write 18:30, 2026-05-01T18:30, +90m or +1h30m");
}

std::optional<WallTime> end_time_in(const std::string& output) {
  const std::size_t at = output.find("EndTime=");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + 8;
  const std::string text = output.substr(begin, output.find_first_of(" \n", begin) - begin);
  std::tm time{};
  if (!read(text, "%Y-%m-%dT%H:%M:%S", time)) return std::nullopt;  // "Unknown"
  return to_time(time);
}

std::optional<WallTime> slurm_end_time() {
  if (const char* text = std::getenv("SLURM_JOB_END_TIME"); text != nullptr && *text != '\0')
    return std::chrono::system_clock::from_time_t(std::strtoll(text, nullptr, 10));
  const char* job = std::getenv("SLURM_JOB_ID");
  if (job == nullptr || *job == '\0' || !find_program("scontrol")) return std::nullopt;
  try {
    // What it says on stderr is no matter: a cluster of which this is a mere variable, for example.
    constexpr const char* kAsk = "timeout 10 scontrol show job -o \"$0\" 2>/dev/null";
    return end_time_in(run_program({"sh", "-c", kAsk, job}, "").output);
  } catch (const std::exception&) {  // not there: the signal before the end is what is left
    return std::nullopt;
  }
}

TimeLimit time_limit(const std::string& until_option) {
  TimeLimit limit{slurm_end_time(), read_batch_job()};
  if (!limit.job.id.empty()) limit.job.ends_at_ms = unix_ms(limit.until);
  if (!until_option.empty())
    limit.until = parse_until(until_option, std::chrono::system_clock::now());
  return limit;
}

std::int64_t unix_ms(const std::optional<WallTime>& time) {
  if (!time) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count();
}

}  // namespace windrow
