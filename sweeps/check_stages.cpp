#include <algorithm>
#include <set>

#include "protocol/nearest.h"
#include "sweeps/canonical.h"
#include "sweeps/stages.h"
#include "sweeps/study_source.h"

namespace windrow::sweeps {
namespace {

class StageChecker {
 public:
  StageChecker(const StudySource& source, Faults& faults)
      : source_(source), study_(source.study), faults_(faults) {}

  void check() {
    for (std::size_t i = 0; i < study_.stages.size(); ++i) {
      stage_ = &study_.stages[i];
      places_ = &source_.stages[i];
      const bool selects = stage_->best && check_selection();
      check_swept_once();
      if (selects) check_taken();
      check_cases();
      check_conditions();
      check_size();
      if (!stage_->best || selects) check_required();
      earlier_.push_back(stage_->name);
    }
  }

 private:
  // Whether the stage it selects from is there.
  bool check_selection() {
    const Selection& best = *stage_->best;
    if (best.of.empty()) return false;  // already a fault
    check_metric(best);
    if (std::ranges::find(earlier_, best.of) != earlier_.end()) return true;
    std::string message;
    if (best.of == stage_->name)
      message = "a stage can't select from itself; ";
    else if (find_stage(study_, best.of))
      message = "stage " + best.of + " stands after this one; move it up, or ";
    else
      message = "there is no stage " + Json(best.of).dump() + "; ";
    if (earlier_.empty())
      message += "give a stage that stands before this one; there is none yet";
    else
      message += suggestion(best.of, earlier_);
    faults_.add(places_->of, "of", message);
    return false;
  }

  void check_metric(const Selection& best) {
    if (!source_.task || best.by.empty()) return;
    const std::vector<std::string> names = source_.task->metric_names();
    if (std::ranges::find(names, best.by) == names.end())
      faults_.add(places_->by, "by",
                  Json(best.by).dump() + " is no metric of task " + source_.task->name + "; " +
                      suggestion(best.by, names));
  }

  void check_taken() {
    const Selection& best = *stage_->best;
    const Stage& from = *find_stage(study_, best.of);
    const std::vector<std::string> swept = swept_parameters(study_, from);
    if (const double most = most_cells(study_, from); best.count > most)
      faults_.add(places_->count, "count",
                  std::to_string(best.count) + " is more than the " +
                      std::to_string(static_cast<long long>(most)) + " cells of stage " + best.of +
                      "; give at most that");
    for (std::size_t i = 0; i < best.take.size(); ++i)
      if (std::ranges::find(swept, best.take[i]) == swept.end())
        faults_.add(places_->take[i], "take",
                    Json(best.take[i]).dump() + " is not swept in stage " + best.of + "; " +
                        (swept.empty() ? "that stage sweeps nothing: remove take"
                                       : suggestion(best.take[i], swept)));
    for (const std::string& key : taken_parameters(study_, *stage_)) {
      const Places& here = places_->swept.contains(key) ? places_->swept : places_->fixed;
      const auto again = here.find(key);
      if (again != here.end())
        faults_.add(again->second, key,
                    "it is taken from stage " + best.of +
                        " too; remove it here, or list in take what else is to be taken");
    }
  }

  // Without stages, the study's parameters are the stage's.
  void check_swept_once() {
    const Places& fixed = source_.implicit_stage ? source_.fixed : places_->fixed;
    for (const auto& [key, place] : places_->swept)
      if (const auto found = fixed.find(key); found != fixed.end())
        faults_.add(place, key,
                    "it is fixed too, in line " + std::to_string(found->second.line) +
                        "; keep one of the two");
  }

  // Two cases are one cell if they agree in all that isn't the fixed or default value anyway.
  void check_cases() {
    if (places_->has_bad_case) return;
    std::map<std::string, Place> seen;
    for (std::size_t i = 0; i < stage_->cases.size(); ++i) {
      Json identity = stage_->cases[i];
      for (const std::string& key : stage_->case_keys) {
        const Json* otherwise = value_without_case(key);
        const auto found = identity.find(key);
        if (otherwise && found != identity.end() && *found == *otherwise) identity.erase(key);
      }
      const auto [first, is_new] = seen.emplace(canonical(identity), places_->cases[i]);
      if (!is_new)
        faults_.add(places_->cases[i], "cases",
                    "this case is the same cell as the one in line " +
                        std::to_string(first->second.line) + "; remove one");
    }
  }

  // A name that is misspelt would leave nothing out, or leave a parameter out everywhere.
  void check_conditions() {
    std::vector<std::string> names;
    const auto add = [&](const std::string& name) { names.push_back(name); };
    for (const auto* places : {&source_.fixed, &places_->fixed, &places_->swept})
      for (const auto& [name, place] : *places) add(name);
    for (const std::string& name : taken_parameters(study_, *stage_)) add(name);
    if (source_.task)
      for (const std::string& name : source_.task->parameter_names()) add(name);
    for (const auto& [name, place] : places_->conditions)
      if (std::ranges::find(names, name) == names.end())
        faults_.add(place, name, "the stage gives no such parameter; " + suggestion(name, names));
  }

  const Json* value_without_case(const std::string& key) const {
    for (const Json* fixed : {&stage_->parameters, &study_.parameters})
      if (const auto found = fixed->find(key); found != fixed->end()) return &*found;
    const ParameterSpec* spec = source_.task ? source_.task->find(key) : nullptr;
    return spec && spec->default_value ? &*spec->default_value : nullptr;
  }

  void check_size() {
    const double cells = most_cells(study_, *stage_);
    const double trials = cells * static_cast<double>(study_.seeds.size());
    if (cells > kMaximumStageCells)
      faults_.add(places_->place, stage_->name,
                  "it has up to " + canonical(cells) + " cells; give at most " +
                      std::to_string(kMaximumStageCells) + ", for example in several studies");
    else if (trials > kMaximumStageTrials)
      faults_.add(places_->place, stage_->name,
                  "it has up to " + canonical(trials) + " trials (cells x seeds); give at most " +
                      std::to_string(kMaximumStageTrials) + ", for example in several studies");
  }

  void check_required() {
    if (!source_.task) return;
    std::vector<std::string> taken;
    if (stage_->best) taken = taken_parameters(study_, *stage_);
    for (const ParameterSpec& spec : source_.task->parameters) {
      // Whether a model's own parameter is needed depends on the cell; expand() sees to it.
      if (spec.default_value || !spec.models.empty() || source_.fixed.contains(spec.name) ||
          places_->fixed.contains(spec.name) || std::ranges::find(taken, spec.name) != taken.end())
        continue;
      if (!places_->swept.contains(spec.name))
        report_missing(spec, places_->place);
      else if (std::ranges::find(stage_->case_keys, spec.name) != stage_->case_keys.end())
        check_required_in_cases(spec);
    }
  }

  void check_required_in_cases(const ParameterSpec& spec) {
    if (places_->has_bad_case) return;
    for (std::size_t i = 0; i < stage_->cases.size(); ++i)
      if (!stage_->cases[i].contains(spec.name)) report_missing(spec, places_->cases[i]);
  }

  void report_missing(const ParameterSpec& spec, Place place) {
    const std::string where = source_.implicit_stage ? "" : " in stage " + stage_->name;
    faults_.add(place, spec.name, "the parameter is missing" + where + "; give " + domain(spec));
  }

  const StudySource& source_;
  const Study& study_;
  Faults& faults_;
  const Stage* stage_ = nullptr;
  const StageSource* places_ = nullptr;
  std::vector<std::string> earlier_;  // the stages before it
};

// The parameter must be there, and count epochs.
void check_budget(const StudySource& source, Faults& faults) {
  const std::string& name = source.study.budget;
  if (name.empty()) return;
  std::vector<Json> values;
  const auto add = [&](const Json& parameters) {
    if (const auto found = parameters.find(name); found != parameters.end())
      values.push_back(*found);
  };
  const auto add_axis = [&](const GridAxis& axis) {
    if (axis.first == name) values.insert(values.end(), axis.second.begin(), axis.second.end());
  };
  add(source.study.parameters);
  std::vector<std::string> known;
  for (const auto& [key, place] : source.fixed) known.push_back(key);
  for (std::size_t i = 0; i < source.study.stages.size(); ++i) {
    const Stage& stage = source.study.stages[i];
    add(stage.parameters);
    for (const Json& one : stage.cases) add(one);
    for (const GridAxis& axis : stage.grid) add_axis(axis);
    for (const auto& group : stage.zips)
      for (const GridAxis& axis : group) add_axis(axis);
    for (const auto* places : {&source.stages[i].fixed, &source.stages[i].swept})
      for (const auto& [key, place] : *places) known.push_back(key);
  }
  if (values.empty())
    faults.add(
        source.budget, "budget",
        "no parameter is called " + Json(name).dump() + "; " +
            (known.empty() ? "give parameters: {" + name + ": 10}" : suggestion(name, known)));
  for (const Json& value : values)
    if (!value.is_number_integer() || value < 1) {
      faults.add(source.budget, "budget",
                 name + " has the value " + value.dump() +
                     ", and a budget is a number of epochs: an integer of at least 1");
      return;
    }
}

}  // namespace

void check_stages(const StudySource& source, Faults& faults) {
  StageChecker(source, faults).check();
  check_budget(source, faults);
}

}  // namespace windrow::sweeps
