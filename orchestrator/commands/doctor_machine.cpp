#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>

#include "orchestrator/agent/devices.h"
#include "orchestrator/commands/doctor_checks.h"
#include "orchestrator/process/program.h"
#include "orchestrator/session/preflight.h"
#include "orchestrator/transport/load_link.h"
#include "storage/process.h"

namespace windrow::commands {
namespace {

namespace fs = std::filesystem;

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string format_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

// "3 slots: 2 of cpu with 1 thread, 1 of ...".
std::string describe(const std::vector<protocol::SlotInfo>& slots) {
  std::map<std::string, int> kinds;
  for (const protocol::SlotInfo& slot : slots)
    ++kinds[slot.device + ", " + plural(static_cast<std::size_t>(slot.threads), "thread")];
  std::string text;
  for (const auto& [kind, count] : kinds)
    text += (text.empty() ? "" : "; ") + std::to_string(count) + " x " + kind;
  return plural(slots.size(), "slot") + " (" + text + ")";
}

// A line break in a loader's message would break the table.
std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

}  // namespace

Findings check_machine() {
  Findings findings;
  findings.push_back({Health::ok, "windrow",
                      "version " WINDROW_VERSION ", host " + storage::this_process().host, ""});
  const DeviceFacts facts = read_device_facts();
  std::string devices = plural(facts.cores.size(), "core");
  if (facts.cpu_quota) devices += ", CPU quota of " + format_number(*facts.cpu_quota);
  devices += ", " + plural(facts.gpus.size(), "GPU");
  findings.push_back({Health::ok, "devices", devices, ""});
  if (facts.cpu_quota && *facts.cpu_quota < 1)
    findings.back() = {Health::warning, "devices", devices,
                       "the cgroup grants less than one core: ask for more CPUs "
                       "(--cpus-per-task on Slurm)"};
  if (!facts.warning.empty())
    findings.push_back({Health::warning, "GPUs", facts.warning,
                        "unset CUDA_VISIBLE_DEVICES, or run on a host with a GPU"});
  try {
    findings.push_back(
        {Health::ok, "slots", describe(choose_slots(facts, {}, {0, 1}, {0, 1})), ""});
  } catch (const DeviceError& error) {
    findings.push_back({Health::fault, "slots", error.what(), "see `windrow run --help`"});
  }
  return findings;
}

// One kind of library is enough; which one a run takes depends on its launcher.
Findings check_mpi() {
  Findings findings;
  std::string usable, missing, remedy;
  for (const MpiModule& module : mpi_modules()) {
    if (module.why_not.empty())
      usable += (usable.empty() ? "" : ", ") + module.kind;
    else
      missing += (missing.empty() ? "" : "; ") + module.kind + ": " + one_line(module.why_not);
    if (!module.why_not.empty() && remedy.empty()) remedy = module.remedy;
  }
  if (usable.empty())
    findings.push_back({Health::warning, "MPI transport", missing,
                        "one process works; for several ranks install " + remedy});
  else
    findings.push_back({Health::ok, "MPI transport",
                        "for " + usable + (missing.empty() ? "" : " (not for " + missing + ")"),
                        ""});
  if (geteuid() == 0 && find_program("mpirun"))
    findings.push_back({Health::ok, "mpirun as root",
                        "Open MPI's mpirun wants --allow-run-as-root, and --oversubscribe for more "
                        "ranks than cores",
                        ""});
  std::string launchers;
  for (const char* name : {"mpirun", "mpiexec", "srun"})
    if (const auto found = find_program(name))
      launchers += (launchers.empty() ? "" : ", ") + found->string();
  if (launchers.empty())
    findings.push_back({Health::warning, "launchers", "neither mpirun nor srun is in PATH",
                        "one process works; for several ranks install Open MPI (Debian: "
                        "openmpi-bin) or use a Slurm cluster"});
  else
    findings.push_back({Health::ok, "launchers", launchers, ""});
  return findings;
}

Findings check_data(const std::string& data_dir) {
  const std::vector<std::string> faults = cifar10_faults(data_dir);
  if (faults.empty()) return {{Health::ok, "CIFAR-10", data_dir, ""}};
  // Only the studies of task cifar10 need it; `run` refuses those by itself.
  std::string message = faults.front();
  if (faults.size() > 2) message += " (and " + plural(faults.size() - 2, "more file") + ")";
  return {{Health::warning, "CIFAR-10", message, "for studies of task cifar10: " + faults.back()}};
}

}  // namespace windrow::commands
