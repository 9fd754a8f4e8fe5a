#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "protocol/nearest.h"
#include "sweeps/canonical.h"
#include "sweeps/emit.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

constexpr const char* kSeedsExample = "a count such as 3, or a list such as [0, 1, 2]";

// Reads the file's top level, each part into `source`.
class StudyReader {
 public:
  StudyReader(const YamlNode& root, StudySource& source, Faults& faults)
      : root_(root), top_(root, Section::study, "", faults), source_(source), faults_(faults) {}

  void read() {
    if (!top_.is_map()) return;
    source_.study.trainer = {};
    top_.name("study", source_.study.name);
    const bool is_known = read_task_or_trainer();
    ParameterReader parameters(source_.task, is_known, faults_);
    if (const YamlNode* node = top_.find("parameters"))
      parameters.map(*node, "parameters", source_.study.parameters, source_.fixed);
    if (const YamlNode* node = top_.find("seeds")) read_seeds(*node, faults_, source_.study.seeds);
    if (const YamlNode* node = top_.find("early_stopping")) read_early_stopping(*node);
    read_stages(parameters);
    if (const YamlNode* node = top_.find("report")) read_report(*node, source_, faults_);
    read_kept();
    read_notice("on_end", source_.study.on_end);
    read_notice("on_failure", source_.study.on_failure);
  }

 private:
  // False where neither is usable, so that parameters can't be checked.
  bool read_task_or_trainer() {
    const YamlEntry* task = top_.entry("task");
    const YamlEntry* trainer = top_.entry("trainer");
    if (task && trainer) {
      faults_.add(trainer->key.place, "trainer",
                  "the study has a task too, in line " + std::to_string(task->key.place.line) +
                      "; keep one of the two");
    } else if (!task && !trainer) {
      faults_.add(
          root_.place, "task",
          "the study has neither task nor trainer; give task: " + joined(task_names(), " or ") +
              ", or trainer: {command: [python3, train.py]}");
      return false;
    }
    if (trainer) read_trainer(trainer->value);
    if (!task) return true;
    const auto name = read_text(task->value, "task", faults_);
    if (!name) return false;
    source_.task = find_task(*name);
    source_.study.task = *name;
    if (!source_.task)
      faults_.add(
          task->value.place, "task",
          "there is no task " + Json(*name).dump() + "; " + suggestion(*name, task_names()));
    return source_.task;
  }

  void read_trainer(const YamlNode& node) {
    const SectionReader reader(node, Section::trainer, "trainer", faults_);
    protocol::TrainerSettings& trainer = source_.study.trainer;
    reader.boolean("persistent", trainer.persistent);
    const std::vector<std::string> arguments(protocol::kArgumentsNames.begin(),
                                             protocol::kArgumentsNames.end());
    if (const auto place = reader.choice("arguments", arguments))
      trainer.arguments = static_cast<protocol::Arguments>(*place);
    const std::vector<std::string> reports = {"epochs", "nothing"};
    if (const auto place = reader.choice("reports", reports)) trainer.reports_nothing = *place == 1;
    reader.integer("gang", 1, 1024, trainer.gang);
    if (trainer.gang > 1 && trainer.persistent)
      faults_.add(reader.find("gang")->place, "gang",
                  "a persistent trainer is one process; with persistent: false, gang starts " +
                      std::to_string(trainer.gang) + " a trial");
    reader.positive("ready_seconds", trainer.ready_seconds);
    reader.not_negative("hang_seconds", trainer.hang_seconds);
    read_paths(reader, "files", trainer.files);
    read_paths(reader, "freeze", trainer.freeze);
    reader.text("budget", source_.study.budget);
    if (const YamlNode* budget = reader.find("budget")) source_.budget = budget->place;
    const YamlNode* command = reader.find("command");
    if (!command) return;
    if (command->kind != YamlNode::Kind::sequence || command->items.empty()) {
      faults_.add(command->place, "command",
                  (command->kind == YamlNode::Kind::sequence ? "the list is empty"
                                                             : describe(*command) + " is no list") +
                      "; give the program and its arguments, for example [python3, train.py]");
      return;
    }
    for (const YamlNode& item : command->items)
      if (const auto word = read_text(item, "command", faults_)) trainer.command.push_back(*word);
    if (!trainer.freeze.empty() &&
        std::ranges::find(trainer.command, "-m") != trainer.command.end())
      faults_.add(reader.find("freeze")->place, "freeze",
                  "python -m looks for the module in the folder that windrow starts in and not in "
                  "the copy; name the script in `command`, for example [python3, src/train.py]");
    if (!trainer.command.empty() && trainer.command.front().empty())
      faults_.add(command->items.front().place, "command",
                  "the program's name is empty; give one, for example python3");
  }

  void read_kept() {
    const std::vector<std::string> names = {"none", "last", "best"};
    const auto chosen = top_.choice("keep", names);
    KeptCheckpoints kept{chosen ? static_cast<Keep>(*chosen) : Keep::last};
    if (kept.keep == Keep::best) kept.count = 1;
    const YamlNode* count = top_.find("keep_count");
    top_.integer("keep_count", 1, kMaximumStageTrials, kept.count);
    if (count && kept.keep == Keep::none)
      faults_.add(count->place, "keep_count",
                  "nothing is kept with keep: none; give keep: last or keep: best");
    if (kept.keep == Keep::best && !source_.study.report.compare)
      faults_.add(top_.find("keep")->place, "keep",
                  "what is best isn't said; give the metric, for example report: {compare: "
                  "{metric: val_loss, goal: min}}");
    if (chosen || count) source_.study.kept = kept;
  }

  void read_notice(const char* key, std::optional<Notice>& notice) {
    const YamlNode* node = top_.find(key);
    if (!node) return;
    const auto refuse = [&] {
      faults_.add(node->place, key,
                  describe(*node) +
                      " is neither a command nor a web address; give one, for example "
                      "[python3, tell.py] or https://example.org/hook");
    };
    Notice read;
    if (node->kind == YamlNode::Kind::scalar) {
      if (!node->text.starts_with("https://") && !node->text.starts_with("http://"))
        return refuse();
      read.url = node->text;
    } else {
      if (node->kind != YamlNode::Kind::sequence || node->items.empty()) return refuse();
      for (const YamlNode& item : node->items)
        if (const auto word = read_text(item, key, faults_)) read.command.push_back(*word);
      if (read.command.empty() || read.command.front().empty()) return refuse();
    }
    notice = std::move(read);
  }

  void read_paths(const SectionReader& reader, const char* key, std::vector<std::string>& out) {
    const YamlNode* node = reader.find(key);
    if (!node) return;
    if (node->kind != YamlNode::Kind::sequence)
      return faults_.add(node->place, key,
                         describe(*node) + " is no list; give paths, for example [src, conf]");
    for (const YamlNode& item : node->items) {
      const auto path = read_text(item, key, faults_);
      if (!path) continue;
      const std::filesystem::path normal = std::filesystem::path(*path).lexically_normal();
      if (path->empty() || (key == std::string_view("freeze") &&
                            (normal.is_absolute() || (!normal.empty() && *normal.begin() == ".."))))
        faults_.add(item.place, key,
                    describe(item) +
                        " is not below the folder that windrow starts in; give a path "
                        "that counts from there, such as src");
      else
        out.push_back(*path);
    }
  }

  void read_early_stopping(const YamlNode& node) {
    const SectionReader reader(node, Section::early_stopping, "early_stopping", faults_);
    if (!reader.is_map()) return;
    protocol::EarlyStopping& rule = source_.study.early_stopping.emplace();
    reader.text("metric", rule.metric);
    reader.goal("goal", rule.goal);
    reader.integer("patience", 1, kMaximumPatience, rule.patience);
    reader.not_negative("min_delta", rule.min_delta);
    reader.boolean("restore_best", rule.restore_best);
    if (!source_.task || rule.metric.empty()) return;
    std::vector<std::string> metrics;
    for (const MetricSpec& metric : source_.task->metrics) metrics.push_back(metric.name);
    if (std::ranges::find(metrics, rule.metric) == metrics.end())
      faults_.add(reader.find("metric")->place, "metric",
                  Json(rule.metric).dump() + " is no metric that task " + source_.task->name +
                      " reports each epoch; " + suggestion(rule.metric, metrics));
  }

  void read_stages(ParameterReader& parameters) {
    const YamlEntry* stages = top_.entry("stages");
    if (!stages) {
      source_.implicit_stage = true;
      Stage& stage = source_.study.stages.emplace_back();
      stage.name = "main";
      stage.parameters = Json::object();
      StageSource& places = source_.stages.emplace_back();
      const YamlEntry* fixed = top_.entry("parameters");
      places.place = fixed ? fixed->key.place : root_.place;
      read_stage(top_, parameters, faults_, stage, places);
      return;
    }
    for (const char* key : {"grid", "cases", "zip", "when", "exclude"})
      if (const YamlEntry* entry = top_.entry(key))
        faults_.add(entry->key.place, key,
                    "the study has stages, in line " + std::to_string(stages->key.place.line) +
                        "; move it into a stage");
    const bool is_map = for_each_entry(
        stages->value, "stages", "stages by name, for example {first: {grid: {lr: [0.1]}}}",
        faults_, [&](const YamlEntry& entry) { read_named_stage(entry, parameters); });
    if (is_map && stages->value.entries.empty())
      faults_.add(stages->value.place, "stages",
                  "it is empty; give a stage, for example {first: {grid: {lr: [0.1]}}}");
  }

  void read_named_stage(const YamlEntry& entry, ParameterReader& parameters) {
    if (!is_name(entry.key.text))
      faults_.add(entry.key.place, entry.key.text,
                  "is no name for a stage; give up to 100 letters, digits and . _ -, beginning "
                  "with a letter or digit");
    const SectionReader reader(entry.value, Section::stage, entry.key.text, faults_);
    Stage& stage = source_.study.stages.emplace_back();
    stage.name = entry.key.text;
    stage.parameters = Json::object();
    StageSource& places = source_.stages.emplace_back();
    places.place = entry.key.place;
    if (const YamlNode* node = reader.find("parameters"))
      parameters.map(*node, "parameters", stage.parameters, places.fixed);
    if (const YamlNode* node = reader.find("best"))
      read_selection(*node, faults_, stage.best.emplace(), places);
    read_stage(reader, parameters, faults_, stage, places);
  }

  const YamlNode& root_;
  SectionReader top_;
  StudySource& source_;
  Faults& faults_;
};

std::string read_file(const std::filesystem::path& file) {
  const std::string remedy = "; give the path of a study file";
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw StudyError(file.string() + ": is a folder" + remedy);
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || in.bad())
    throw StudyError(file.string() + ": can't be read: " + std::strerror(errno) + remedy);
  return std::move(text).str();
}

}  // namespace

void read_seeds(const YamlNode& node, Faults& faults, std::vector<std::int64_t>& seeds) {
  if (node.kind == YamlNode::Kind::map || node.kind == YamlNode::Kind::null) {
    faults.add(node.place, "seeds",
               describe(node) + " is neither count nor list; give " + kSeedsExample);
    return;
  }
  if (node.kind == YamlNode::Kind::scalar) {
    const auto count = read_integer(node, "seeds", 1, kMaximumSeedCount, faults);
    if (!count) return;
    seeds.clear();
    for (std::int64_t seed = 0; seed < *count; ++seed) seeds.push_back(seed);
    return;
  }
  if (node.items.empty())
    faults.add(node.place, "seeds", std::string("the list is empty; give ") + kSeedsExample);
  seeds.clear();
  std::set<std::int64_t> seen;
  for (const YamlNode& item : node.items) {
    const auto seed = read_integer(item, "seeds", 0, kMaximumSeed, faults);
    if (!seed) continue;
    if (seen.insert(*seed).second)
      seeds.push_back(*seed);
    else
      faults.add(item.place, "seeds",
                 std::to_string(*seed) + " stands twice in the list; remove one");
  }
}

Study parse_study(const std::string& text, const std::string& name,
                  const std::vector<Override>& overrides) {
  Faults faults(name);
  StudySource source;
  try {
    const YamlNode root = parse_yaml(text);
    if (root.kind == YamlNode::Kind::null) {
      faults.add({1, 1}, "", "the study file is empty; see docs/study-file.md for its form");
    } else {
      StudyReader(root, source, faults).read();
      if (root.kind == YamlNode::Kind::map) {
        // Of an unknown task nothing is known that could be set.
        if (source.task || source.study.task.empty()) apply_overrides(overrides, source, faults);
        check_stages(source, faults);
      }
    }
  } catch (const YamlFault& fault) {
    faults.add(fault.place, "", fault.message);
  }
  faults.raise();
  Study study = std::move(source.study);
  study.text = to_yaml(study);
  study.hash = study_hash(study);
  return study;
}

Study load_study(const std::filesystem::path& file, const std::vector<Override>& overrides) {
  return parse_study(read_file(file), file.string(), overrides);
}

}  // namespace windrow::sweeps
