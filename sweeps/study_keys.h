// The keys of a study file, section by section: what the parser accepts, what the JSON Schema says
// and what docs/study-file.md must describe, from one table. Internal to sweeps/ and its tests.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sweeps/finding.h"

namespace windrow::sweeps {

enum class Section {
  study,
  trainer,
  early_stopping,
  stage,
  best,
  report,
  column,
  compare,
  finding,
  expected,
  figure
};

inline constexpr Section kSections[] = {
    Section::study,   Section::trainer,  Section::early_stopping, Section::stage,
    Section::best,    Section::report,   Section::column,         Section::compare,
    Section::finding, Section::expected, Section::figure};

struct KeySpec {
  std::string name;
  std::string help;
  std::string schema;  // the JSON Schema of its value, as JSON text
  bool required = false;
};

// A kind of finding, with the keys that it has beside claim, kind and stage.
struct FindingKindSpec {
  FindingKind kind;
  std::vector<std::string> required;
  std::vector<std::string> optional;
  std::vector<std::string> one_of;  // at least one of these; empty: none
};
const std::vector<FindingKindSpec>& finding_kinds();

// In messages and in the JSON Schema's $defs, for example "early_stopping".
const char* to_string(Section section);

const std::vector<KeySpec>& keys_of(Section section);
std::vector<std::string> key_names(Section section);

// The limits that both the parser and the JSON Schema state.
inline constexpr long long kMaximumSeed = 4294967295;  // what NumPy and LibTorch both take
inline constexpr long long kMaximumSeedCount = 1000000;
inline constexpr long long kMaximumPatience = 1000000000;
inline constexpr long long kMaximumStageCells = 1000000;
inline constexpr long long kMaximumStageTrials = 10000000;
inline constexpr const char* kNamePattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$";
inline constexpr const char* kParameterPattern = "^[A-Za-z_][A-Za-z0-9_.-]*$";

}  // namespace windrow::sweeps
