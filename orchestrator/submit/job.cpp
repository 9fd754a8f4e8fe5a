#include "orchestrator/submit/job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace windrow::submit {

namespace {

// sbatch takes #SBATCH lines apart by rules of its own, without a shell: what would need its quotes
// isn't let through.
bool is_plain(const std::string& value) {
  return !value.empty() && std::ranges::all_of(value, [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_-.,:;=+*@/|&()[]%~!<>").find(static_cast<char>(c)) !=
               std::string_view::npos;
  });
}

std::string file_name(const std::string& text) {
  std::string name;
  for (const unsigned char c : text) name += std::isalnum(c) || c == '-' || c == '_' ? c : '_';
  return name;
}

// From the marker on; the lines before are for those who submit the file by hand.
std::string_view from_marker(std::string_view body) {
  constexpr std::string_view kMarker = "\nset -u\n";
  const std::size_t at = body.find(kMarker);
  return at == std::string_view::npos ? body : body.substr(at + 1);
}

}  // namespace

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::vector<std::string> faults_of(const Job& job) {
  std::vector<std::string> faults;
  const auto check = [&](const char* option, const std::string& value) {
    if (!value.empty() && !is_plain(value))
      faults.push_back(std::string(option) + " '" + value +
                       "': it has a character that no name of Slurm's has");
  };
  check("--partition", job.partition);
  check("--account", job.account);
  check("--qos", job.qos);
  check("--constraint", job.constraint);
  check("--gres", job.gres);
  check("--mpi", job.mpi);
  if (!job.launcher.empty() && job.launcher != "srun" && job.launcher != "mpirun")
    faults.push_back("launcher '" + job.launcher + "': give srun or mpirun");
  for (const std::string& option : job.more)
    if (!is_plain(option) || !option.starts_with("-"))
      faults.push_back("'" + option +
                       "' after --: give options of sbatch in one word each, as --mem=64G");
  for (const std::string& line : job.prologue)
    if (line.find('\n') != line.npos)
      faults.push_back("a prologue's line has a line break in it; make two of it");
  return faults;
}

std::string batch_script(const Job& job, std::string_view body) {
  std::ostringstream script;
  const auto ask = [&](const std::string& option) { script << "#SBATCH " << option << "\n"; };
  script << "#!/bin/bash\n# Made by `windrow submit`.\n";
  ask("--job-name=windrow-" + file_name(job.name) + (job.workers > 0 ? "-worker" : ""));
  if (job.workers > 0) ask("--array=1-" + std::to_string(job.workers));
  ask("--nodes=" + std::to_string(job.nodes));
  ask("--ntasks-per-node=1");
  if (!job.gres.empty())
    ask("--gres=" + job.gres);
  else if (job.gpus_per_node > 0)
    ask("--gpus-per-node=" + std::to_string(job.gpus_per_node));
  if (job.cpus_per_task > 0) ask("--cpus-per-task=" + std::to_string(job.cpus_per_task));
  if (job.seconds > 0) ask("--time=" + format_time(job.seconds));
  if (!job.partition.empty()) ask("--partition=" + job.partition);
  if (!job.account.empty()) ask("--account=" + job.account);
  if (!job.qos.empty()) ask("--qos=" + job.qos);
  if (!job.constraint.empty()) ask("--constraint=" + job.constraint);
  ask("--signal=B:USR1@" + std::to_string(std::lround(job.lead_seconds)));
  ask("--no-kill");
  ask(job.requeues ? "--requeue" : "--no-requeue");
  ask("--open-mode=append");
  ask("--output=windrow-" + file_name(job.name) +
      (job.workers > 0 ? "-worker-%A_%a.log" : "-%j.log"));
  for (const std::string& option : job.more) ask(option);
  script << "\n";
  for (const std::string& module : job.modules)
    script << "module load " << shell_quoted(module) << " || exit 2\n";
  for (const std::string& line : job.prologue) script << line << "\n";
  script << "PATH=" << shell_quoted(job.program_folder) << ":$PATH\n";
  if (!job.launcher.empty()) script << "windrow_launcher=" << shell_quoted(job.launcher) << "\n";
  if (!job.container.empty()) script << "windrow_container=" << shell_quoted(job.container) << "\n";
  if (!job.mpi.empty()) script << "windrow_mpi=" << shell_quoted(job.mpi) << "\n";
  if (!job.requeues) script << "windrow_requeues=no\n";
  if (job.workers > 0) script << "windrow_join=" << shell_quoted(job.database) << "\n";
  script << "set --";
  for (const std::string& argument : job.arguments) script << " " << shell_quoted(argument);
  script << "\n\n" << from_marker(body);
  return script.str();
}

std::optional<double> parse_time(const std::string& text) {
  const std::size_t dash = text.find('-');
  double days = 0;
  std::string rest = text;
  const auto number = [](const std::string& digits) -> std::optional<double> {
    if (digits.empty() || digits.size() > 9 ||
        digits.find_first_not_of("0123456789") != digits.npos)
      return std::nullopt;
    return std::stod(digits);
  };
  if (dash != text.npos) {
    const auto value = number(text.substr(0, dash));
    if (!value) return std::nullopt;
    days = *value;
    rest = text.substr(dash + 1);
  }
  std::vector<double> parts;
  std::istringstream fields(rest);
  for (std::string field; std::getline(fields, field, ':');) {
    const auto value = number(field);
    if (!value) return std::nullopt;
    parts.push_back(*value);
  }
  if (parts.empty() || parts.size() > 3 || rest.ends_with(':')) return std::nullopt;
  double seconds = 0;
  if (dash != text.npos) {  // hours first
    parts.resize(3);
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  } else if (parts.size() == 3) {
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  } else {  // minutes first
    parts.resize(2);
    seconds = parts[0] * 60 + parts[1];
  }
  seconds += days * 86400;
  if (seconds <= 0) return std::nullopt;
  return seconds;
}

std::string format_time(double seconds) {
  const long all = std::lround(seconds), days = all / 86400, rest = all % 86400;
  char text[64];
  std::snprintf(text, sizeof text, "%02ld:%02ld:%02ld", rest / 3600, rest / 60 % 60, rest % 60);
  return (days > 0 ? std::to_string(days) + "-" : "") + text;
}

double lead_for(double limit_seconds, double epoch_seconds) {
  const double wanted = epoch_seconds > 0 ? std::max(120.0, 1.5 * epoch_seconds + 60) : 300;
  return limit_seconds > 0 ? std::min(wanted, limit_seconds / 2) : wanted;
}

}  // namespace windrow::submit
