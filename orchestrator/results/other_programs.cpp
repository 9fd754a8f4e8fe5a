#include "orchestrator/results/other_programs.h"

#include <algorithm>
#include <map>

#include "protocol/program.h"

namespace windrow {
namespace {

protocol::Program to_program(const storage::ProgramInfo& info) {
  return {info.hash, info.command, info.files};
}

std::string count(std::size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace

OtherPrograms other_programs(storage::Reader& reader, const std::string& study,
                             const std::set<std::string>& cells, const protocol::Program& now) {
  OtherPrograms others;
  const auto programs = reader.programs();
  const bool any = std::ranges::any_of(
      programs, [&](const storage::ProgramInfo& program) { return program.hash != now.hash; });
  if (!any) return others;
  std::string last;
  for (const storage::TrialProgram& made : reader.trial_programs(study)) {
    if (made.program == now.hash || !cells.contains(made.cell)) continue;
    const TrialId trial{made.trial};
    last = std::max(last, made.program, [&](const std::string& a, const std::string& b) {
      const auto place = [&](const std::string& hash) {
        return std::ranges::find(programs, hash, &storage::ProgramInfo::hash) - programs.begin();
      };
      return !b.empty() && (a.empty() || place(a) < place(b));
    });
    if (!others.trials.empty() && others.trials.back() == trial) continue;
    others.trials.push_back(trial);
    others.cells.insert(made.cell);
    others.finished += made.finished;
  }
  for (const storage::ProgramInfo& program : programs)
    if (program.hash == last) others.difference = protocol::difference(to_program(program), now);
  return others;
}

std::string describe(const OtherPrograms& others) {
  const std::size_t begun = others.trials.size() - static_cast<std::size_t>(others.finished);
  std::string text;
  if (others.finished > 0)
    text = count(static_cast<std::size_t>(others.finished), "finished trial");
  if (begun > 0)
    text += (text.empty() ? "" : " and ") + ("the beginning of " + count(begun, "trial"));
  return text + (others.trials.size() == 1 ? " is" : " are") +
         " of another program: " + others.difference;
}

ProgramMarks program_marks(storage::Reader& reader, const std::string& study) {
  ProgramMarks marks;
  const auto programs = reader.programs();
  if (programs.size() < 2) return marks;
  std::map<std::string, std::set<std::string>> of_cell;
  std::map<std::int64_t, std::set<std::string>> of_trial;
  std::set<std::string> used;
  for (const storage::TrialProgram& made : reader.trial_programs(study)) {
    of_cell[made.cell].insert(made.program);
    of_trial[made.trial].insert(made.program);
    used.insert(made.program);
  }
  if (used.size() < 2) return marks;
  const storage::ProgramInfo *newest = nullptr, *before = nullptr;
  for (const storage::ProgramInfo& program : programs) {
    if (!used.contains(program.hash)) continue;
    before = newest;
    newest = &program;
  }
  const auto mark = [&](const auto& made_by, auto& out) {
    for (const auto& [key, made] : made_by)
      if (!made.contains(newest->hash))
        out[key] = "older";
      else if (made.size() > 1)
        out[key] = "mixed";
  };
  mark(of_cell, marks.cells);
  mark(of_trial, marks.trials);
  marks.difference = protocol::difference(to_program(*before), to_program(*newest));
  return marks;
}

}  // namespace windrow
