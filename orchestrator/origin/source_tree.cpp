#include "orchestrator/origin/source_tree.h"

#include <chrono>
#include <optional>
#include <sstream>

#include "orchestrator/process/bounded_run.h"

namespace windrow::origin {

namespace {

constexpr std::chrono::seconds kLimit{10};

}  // namespace

SourceTree read_source_tree(const std::filesystem::path& folder) {
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  const auto git = [&](std::vector<std::string> words, std::size_t most) {
    std::vector<std::string> argv = {"git", "--no-optional-locks", "-C", folder.string()};
    argv.insert(argv.end(), words.begin(), words.end());
    const BoundedResult said =
        run_bounded({.argv = argv, .deadline = deadline, .most = most, .end_after_most = true});
    const bool cut = said.output.size() == most;
    return cut || said.exit_code == 0 ? std::optional(said.output) : std::nullopt;
  };
  SourceTree tree;
  const auto commit = git({"rev-parse", "HEAD"}, 200);
  if (!commit || commit->empty()) return tree;
  tree.commit = commit->substr(0, commit->find('\n'));
  // From the repository's root, so that the names are those of the diff.
  const auto status = git({"status", "--porcelain", "--untracked-files=normal"}, kLongestDiff / 4);
  if (!status) return tree;
  tree.dirty = !status->empty();
  if (!tree.dirty) return tree;
  tree.diff = git({"diff", "--no-color", "--no-ext-diff", "HEAD"}, kLongestDiff).value_or("");
  if (tree.diff.size() >= kLongestDiff) tree.diff += "\n(cut)\n";
  std::istringstream lines(*status);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("?? ")) tree.diff += "not tracked: " + line.substr(3) + "\n";
  return tree;
}

}  // namespace windrow::origin
