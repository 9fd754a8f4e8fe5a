#!/usr/bin/env bash
# Each library stays in its room, each room includes what docs/design.md lets it, and what is pure
# stays so.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
fault() {  # what, lines
  [ -z "$2" ] || { printf '%s:\n%s\n' "$1" "$2"; bad=1; }
}
includes() {  # pattern, folders or files...
  local pattern=$1
  shift
  grep -rnE "#include *$pattern" --include='*.h' --include='*.cpp' --include='*.cu' "$@" || true
}
only_in() {  # what, pattern, allowed folders...
  local what=$1 pattern=$2 allowed
  shift 2
  allowed=$(printf '|^%s[/:]' "$@")
  fault "$what outside of $*" "$(includes "$pattern" protocol sweeps storage orchestrator worker tests \
    | grep -vE "${allowed:1}" || true)"
}
only_in "SQLite" '[<"]sqlite3\.h' storage tests/storage
only_in "MPI" '[<"]mpi(_abi)?\.h' orchestrator/transport
only_in "ZeroMQ" '[<"]zmq' orchestrator/transport
only_in "LibTorch" '[<"](torch|ATen|c10)/' worker tests/worker tests/benchmarks/worker
only_in "YAML" '[<"]yaml-cpp/' sweeps
only_in "CUDA" '[<"](cuda|c10/cuda|ATen/cuda)' worker/device
only_in "spdlog" '[<"]spdlog/' orchestrator/console
only_in "CLI11" '[<"]CLI/' orchestrator/commands orchestrator/main.cpp

room() {  # room, the rooms of ours that it may include...
  local room=$1 allowed
  allowed=$(printf '|"%s[/"]' "$@")
  fault "$room includes more than $*" "$(includes '"(protocol|sweeps|storage|orchestrator|worker)/' \
    "$room" | grep -vE "include *(${allowed:1})" || true)"
}
room protocol
room sweeps protocol
room storage protocol
room orchestrator/scheduler protocol
room orchestrator/guard
room orchestrator/process protocol orchestrator/guard
room orchestrator/origin protocol orchestrator/process
room orchestrator/agent protocol orchestrator/process orchestrator/origin
room orchestrator/transport protocol orchestrator/process
room orchestrator/coordinator protocol sweeps storage orchestrator/scheduler orchestrator/process
room orchestrator/drill protocol storage orchestrator/control orchestrator/process orchestrator/drill orchestrator/exit_codes.h
room orchestrator/analysis protocol sweeps storage/result_table.h
room worker protocol sweeps

impure='<(fstream|iostream|thread|mutex|filesystem|unistd\.h|sys/.*)>'
fault "the scheduler has I/O, a clock or a thread" "$(includes "$impure" orchestrator/scheduler)"
fault "the scheduler has a clock" "$(includes '<chrono>' orchestrator/scheduler)"
fault "the slot machine has I/O, a clock or a thread" \
  "$(includes "$impure" $(ls orchestrator/agent/slot*.{h,cpp} | grep -v slot_runner))"
fault "tables and reports read inner tables" "$(grep -rnE \
  '(FROM|JOIN) (trial|epoch|attempt|cell|failure|metric|stage|stage_cell|epoch_metric|trial_metric)\b' \
  orchestrator --include='*.cpp' --include='*.h' || true)"
exit $bad
