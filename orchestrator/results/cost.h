// What a study cost: time of slots, CPUs and GPUs, and memory, by how its attempts ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/reader.h"

namespace windrow {

// One attempt; times in seconds (of the Unix epoch where they are points in time).
struct AttemptCost {
  std::int64_t trial = 0;
  std::string host, device, outcome;
  int rank = 0;
  double began = 0, ended = 0;
  double member_seconds = 0;  // what other slots trained of its epochs
  std::optional<double> cpu_seconds;
  std::optional<double> peak_memory, peak_device_memory;  // bytes
  double seconds() const { return ended - began; }
};

struct CostLine {   // of the attempts that ended alike
  std::string how;  // "finished", "interrupted", "failed"
  int attempts = 0;
  double hours = 0, cpu_hours = 0, gpu_hours = 0;
};

struct StudyCost {
  std::vector<CostLine> lines;  // finished, interrupted, failed: those that there are
  CostLine total;
  int trials = 0, finished = 0;  // that were begun
  int without_cpu_time = 0;      // attempts whose CPU time isn't known: they count nothing
  std::optional<double> peak_memory, peak_device_memory;
  std::vector<std::string> hosts;       // by name
  std::vector<std::string> cpus, gpus;  // kinds
  std::string first, last;              // days, UTC: 2026-01-31
};

// How an attempt's outcome is classed: finished; interrupted, for what was stopped or lost with its
// machine and lost nothing but time; failed.
std::string how_it_ended(const std::string& outcome);

// Hours that each attempt held its GPU: those at the same time at the same GPU of a rank share it.
// 0 where the device is none.
std::vector<double> gpu_hours(const std::vector<AttemptCost>& attempts);

StudyCost sum_up(const std::vector<AttemptCost>& attempts);

// Attempts that were begun and have ended, and the study's machines.
std::vector<AttemptCost> load_costs(storage::Reader& reader, const std::string& study);
StudyCost load_cost(storage::Reader& reader, const std::string& study);

// A paragraph for a paper's compute statement.
std::string compute_statement(const StudyCost& cost, const std::string& study);

std::string bytes_text(double bytes);  // "1.5 GiB"
std::string hours_text(double hours);  // "0.25", "31.2", "1240"

}  // namespace windrow
