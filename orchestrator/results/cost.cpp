#include "orchestrator/results/cost.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "orchestrator/results/texts.h"
#include "protocol/nearest.h"
#include "storage/quote.h"

namespace windrow {
namespace {

using storage::Value;

constexpr double kHour = 3600;

void keep_largest(std::optional<double>& largest, const std::optional<double>& value) {
  if (value && (!largest || *value > *largest)) largest = value;
}

std::string day_of(double seconds) {
  const auto at = static_cast<std::time_t>(seconds);
  std::tm day{};
  gmtime_r(&at, &day);
  std::array<char, 16> buffer{};
  std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d", &day);
  return buffer.data();
}

std::string counted(int number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

}  // namespace

std::string how_it_ended(const std::string& outcome) {
  if (outcome == "finished") return outcome;
  static const std::set<std::string> interrupted = {"preempted", "lost", "node", "gang",
                                                    "cancelled"};
  return interrupted.contains(outcome) ? "interrupted" : "failed";
}

std::vector<double> gpu_hours(const std::vector<AttemptCost>& attempts) {
  std::vector<double> hours(attempts.size());
  using Gpu = std::tuple<std::string, int, std::string>;       // host, rank, device
  std::map<Gpu, std::vector<std::pair<double, int>>> changes;  // time, attempt + 1 or its negative
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const AttemptCost& attempt = attempts[i];
    if (!attempt.device.starts_with("cuda")) continue;
    auto& of_gpu = changes[{attempt.host, attempt.rank, attempt.device}];
    of_gpu.emplace_back(attempt.began, static_cast<int>(i) + 1);
    of_gpu.emplace_back(attempt.ended, -static_cast<int>(i) - 1);
    hours[i] = attempt.member_seconds / kHour;
  }
  for (auto& [gpu, list] : changes) {
    std::sort(list.begin(), list.end());
    std::set<int> present;
    double at = 0;
    for (const auto& [time, change] : list) {
      for (const int i : present)
        hours[static_cast<std::size_t>(i) - 1] +=
            (time - at) / kHour / static_cast<double>(present.size());
      at = time;
      if (change > 0)
        present.insert(change);
      else
        present.erase(-change);
    }
  }
  return hours;
}

StudyCost sum_up(const std::vector<AttemptCost>& attempts) {
  StudyCost cost;
  cost.total.how = "in all";
  std::map<std::string, CostLine> lines;
  std::set<std::int64_t> trials;
  std::set<std::int64_t> finished;
  std::set<std::string> hosts;
  double first = 0, last = 0;
  const std::vector<double> gpu = gpu_hours(attempts);
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const AttemptCost& attempt = attempts[i];
    const std::string how = how_it_ended(attempt.outcome);
    for (CostLine* line : {&lines[how], &cost.total}) {
      ++line->attempts;
      line->hours += attempt.seconds() / kHour;
      line->cpu_hours += attempt.cpu_seconds.value_or(0) / kHour;
      line->gpu_hours += gpu[i];
    }
    cost.without_cpu_time += !attempt.cpu_seconds;
    trials.insert(attempt.trial);
    if (how == "finished") finished.insert(attempt.trial);
    keep_largest(cost.peak_memory, attempt.peak_memory);
    keep_largest(cost.peak_device_memory, attempt.peak_device_memory);
    hosts.insert(attempt.host);
    first = first == 0 ? attempt.began : std::min(first, attempt.began);
    last = std::max(last, attempt.ended);
  }
  for (const char* how : {"finished", "interrupted", "failed"})
    if (lines.contains(how)) {
      cost.lines.push_back(lines[how]);
      cost.lines.back().how = how;
    }
  cost.trials = static_cast<int>(trials.size());
  cost.finished = static_cast<int>(finished.size());
  cost.hosts.assign(hosts.begin(), hosts.end());
  if (!attempts.empty()) {
    cost.first = day_of(first);
    cost.last = day_of(last);
  }
  return cost;
}

std::vector<AttemptCost> load_costs(storage::Reader& reader, const std::string& study) {
  const std::string seconds = "(julianday(%) - 2440587.5) * 86400.0";
  const auto unix_time = [&](const std::string& column) {
    std::string sql = seconds;
    return sql.replace(sql.find('%'), 1, column);
  };
  // Of an attempt that was lost nobody saw the end: its last epoch's.
  const std::string ended =
      "coalesce(a.ended_at, (SELECT max(e.committed_at) FROM epochs e WHERE e.trial = a.trial AND "
      "e.attempt = a.attempt), a.began_at)";
  std::vector<AttemptCost> attempts;
  for (const auto& row :
       reader
           .query("SELECT a.trial, a.host, a.device, a.outcome, a.rank, " +
                  unix_time("a.began_at") + ", " + unix_time(ended) +
                  ", (SELECT sum((e.members - 1) * e.wall_seconds) FROM epochs e WHERE e.trial = "
                  "a.trial AND e.attempt = a.attempt AND e.members > 1), a.cpu_seconds, "
                  "a.peak_memory, a.peak_device_memory FROM attempts a JOIN trials t ON t.trial = "
                  "a.trial WHERE a.began_at IS NOT NULL AND a.outcome <> 'running' AND t.study = " +
                  storage::quote_text(study) + " ORDER BY a.trial, a.attempt")
           .rows) {
    AttemptCost& attempt = attempts.emplace_back();
    attempt.trial = std::get<std::int64_t>(row[0]);
    attempt.host = text_of(row[1]);
    attempt.device = text_of(row[2]);
    attempt.outcome = text_of(row[3]);
    attempt.rank = static_cast<int>(number_of(row[4]).value_or(0));
    attempt.began = number_of(row[5]).value_or(0);
    attempt.ended = std::max(number_of(row[6]).value_or(0), attempt.began);
    attempt.member_seconds = number_of(row[7]).value_or(0);
    attempt.cpu_seconds = number_of(row[8]);
    attempt.peak_memory = number_of(row[9]);
    attempt.peak_device_memory = number_of(row[10]);
  }
  return attempts;
}

StudyCost load_cost(storage::Reader& reader, const std::string& study) {
  StudyCost cost = sum_up(load_costs(reader, study));
  std::set<std::string> cpus, gpus;
  const std::string of_study =
      "FROM attempts a JOIN trials t ON t.trial = a.trial WHERE t.study = " +
      storage::quote_text(study);
  for (const auto& row : reader
                             .query("SELECT DISTINCT e.facts FROM environments e WHERE "
                                    "e.environment IN (SELECT a.environment " +
                                    of_study + ")")
                             .rows) {
    const auto facts = nlohmann::json::parse(text_of(row[0]), nullptr, false);
    if (facts.is_object() && facts.contains("cpu") && facts["cpu"].is_string())
      cpus.insert(facts["cpu"].get<std::string>());
  }
  for (const auto& row : reader
                             .query("SELECT DISTINCT a.device_kind " + of_study +
                                    " AND a.device LIKE 'cuda%' AND a.device_kind IS NOT NULL")
                             .rows)
    gpus.insert(text_of(row[0]));
  cost.cpus.assign(cpus.begin(), cpus.end());
  cost.gpus.assign(gpus.begin(), gpus.end());
  return cost;
}

std::string bytes_text(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f %s", bytes < 10 && unit > 0 ? 1 : 0, bytes,
                kUnits[unit]);
  return buffer.data();
}

std::string hours_text(double hours) {
  std::array<char, 40> buffer{};
  if (hours < 0.0995)
    std::snprintf(buffer.data(), buffer.size(), "%.2g", hours);
  else
    std::snprintf(buffer.data(), buffer.size(), "%.*f",
                  hours < 9.95   ? 2
                  : hours < 99.5 ? 1
                                 : 0,
                  hours);
  return buffer.data();
}

std::string compute_statement(const StudyCost& cost, const std::string& study) {
  const bool on_gpu = cost.total.gpu_hours > 0;
  const auto hours = [&](const CostLine& line) { return on_gpu ? line.gpu_hours : line.hours; };
  const std::string unit = on_gpu ? "GPU-hours" : "slot-hours";
  std::string said = "The " + counted(cost.finished, "finished trial") + " of study " + study +
                     " and what was tried for them took " + hours_text(hours(cost.total)) + " " +
                     unit;
  if (on_gpu && !cost.gpus.empty()) said += " (" + joined(cost.gpus) + ")";
  if (cost.without_cpu_time == 0) said += " and " + hours_text(cost.total.cpu_hours) + " CPU-hours";
  if (!cost.cpus.empty()) said += " (" + joined(cost.cpus) + ")";
  said += " on " + counted(static_cast<int>(cost.hosts.size()), "host");
  said += cost.first == cost.last ? " on " + cost.first
                                  : " between " + cost.first + " and " + cost.last;
  said += ". ";
  double besides = 0;
  int attempts = 0;
  for (const CostLine& line : cost.lines)
    if (line.how != "finished") {
      besides += hours(line);
      attempts += line.attempts;
    }
  if (attempts > 0) {
    std::array<char, 16> share{};
    std::snprintf(share.data(), share.size(), "%.0f%%",
                  100 * besides / std::max(hours(cost.total), 1e-12));
    said += "Of these, " + hours_text(besides) + " " + unit + " (" + share.data() + ") went to " +
            counted(attempts, "interrupted or failed attempt") + ". ";
  }
  if (cost.trials > 0)
    said +=
        "A trial took " + hours_text(hours(cost.total) / cost.trials) + " " + unit + " on average";
  if (cost.peak_memory) said += " and at most " + bytes_text(*cost.peak_memory) + " of host memory";
  if (cost.peak_device_memory)
    said += std::string(cost.peak_memory ? "" : " and at most") +
            (cost.peak_memory ? " and " : " ") + bytes_text(*cost.peak_device_memory) +
            " of GPU memory";
  return said + ".";
}

}  // namespace windrow
