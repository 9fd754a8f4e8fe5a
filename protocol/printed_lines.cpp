#include "protocol/printed_lines.h"

#include <cmath>
#include <limits>

#include "protocol/lenient_json.h"
#include "protocol/metric_values.h"
#include "protocol/nearest.h"
#include "protocol/text.h"

namespace windrow::protocol {
namespace {

bool has_key(std::string_view line, std::string_view key) {
  for (const char mark : {'"', '\''})
    if (line.find(mark + std::string(key) + mark) != line.npos) return true;
  return false;
}

// The text from its opening brace on; empty where the line does not begin with one.
std::string_view object_text(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  const std::size_t begin = line.find_first_not_of(" \t\r\n\v\f");
  return begin == line.npos || line[begin] != '{' ? std::string_view() : line.substr(begin);
}

UnreadLine unread(const std::string& why, std::string_view line) {
  return {"a line that looks like a message can't be read (" + why + "): " + quote(line) + "; " +
          how_to_report()};
}

std::string left_out_text(const MetricValues& values, std::string_view line) {
  if (values.left_out.empty()) return "";
  return values.left_out + " in " + quote(line);
}

PrintedLine read_epoch(const Json& json, std::string_view line) {
  std::optional<double> number;
  try {
    number = read_number(json.at("epoch"));
  } catch (const NoNumber&) {
  }
  if (!number || *number != std::floor(*number) ||
      *number > std::numeric_limits<std::int32_t>::max())
    return unread("its epoch is no whole number", line);
  if (*number < 1)
    return RefusedLine{
        "epoch " + quote(json["epoch"].dump()) +
        ": epochs are counted from 1; print the number of epochs that are done: " + quote(line)};
  PrintedEpoch printed;
  printed.epoch.epoch = static_cast<int>(*number);
  MetricValues values;
  for (const auto& [key, value] : json.items()) {
    if (key == "epoch") continue;
    if (key == "wall_seconds")
      printed.epoch.wall_seconds = seconds_of(value);
    else
      values.add(key, value);
  }
  printed.epoch.metrics = std::move(values.metrics);
  printed.left_out = left_out_text(values, line);
  return printed;
}

PrintedLine read_result(const Json& json, std::string_view line) {
  if (!json.is_object()) return unread("the result is no object of metrics", line);
  MetricValues values;
  for (const auto& [key, value] : json.items()) values.add(key, value);
  std::string left_out = left_out_text(values, line);
  return PrintedResult{std::move(values.metrics), std::move(left_out)};
}

}  // namespace

PrintedLine parse_printed_line(std::string_view line) {
  const std::string_view text = object_text(line);
  if (text.empty() || !(has_key(text, "epoch") || has_key(text, "result"))) return LogText{};
  Json json;
  try {
    json = read_lenient_json(text);
  } catch (const LenientJsonFault& fault) {
    return unread(fault.what(), line);
  }
  if (json.contains("event")) return LogText{};  // a persistent trainer's
  if (json.contains("epoch")) return read_epoch(json, line);
  if (json.contains("result")) return read_result(json["result"], line);
  return LogText{};
}

std::string how_to_report() {
  return R"(an epoch is a line like {"epoch": 1, "loss": 0.5} on standard output, the result )"
         R"({"result": {"loss": 0.5}} (docs/extending.md))";
}

std::string missing_watched_metric(const std::string& watched,
                                   const std::vector<std::string>& reported) {
  const std::string text =
      "early stopping watches " + Json(watched).dump() + ", which no epoch reported so far; ";
  if (reported.empty()) return text + "none reported a metric";
  return text + suggestion(watched, reported);
}

}  // namespace windrow::protocol
