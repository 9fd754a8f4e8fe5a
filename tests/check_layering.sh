#!/usr/bin/env bash
# Each library stays in its room: sqlite3.h under storage/, mpi.h under orchestrator/transport/,
# torch under worker/ (and in the tests of that room). The scheduler does no I/O and has no clock.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
check() {  # what, pattern, allowed folders...
  local what=$1 pattern=$2 allowed
  shift 2
  allowed=$(printf '|^%s/' "$@")
  local found
  found=$(grep -rnE "$pattern" --include='*.h' --include='*.cpp' --include='*.cu' \
      protocol sweeps storage orchestrator worker tests | grep -vE "${allowed:1}" || true)
  if [ -n "$found" ]; then
    printf '%s outside of %s:\n%s\n' "$what" "$*" "$found"
    bad=1
  fi
}
check "SQLite" '#include *[<"]sqlite3\.h' storage tests/storage
check "MPI" '#include *[<"]mpi\.h' orchestrator/transport
check "LibTorch" '#include *[<"](torch|ATen|c10)/' worker tests/worker tests/benchmarks/worker
check "YAML" '#include *[<"]yaml-cpp/' sweeps
check "CUDA" '#include *[<"](cuda|c10/cuda|ATen/cuda)' worker/device worker/parallel
check "spdlog" '#include *[<"]spdlog/' orchestrator/console
if grep -rnE '#include *<(fstream|iostream|chrono|thread|mutex|filesystem|unistd\.h)>' \
    orchestrator/scheduler; then
  echo "the scheduler has I/O, a clock or a thread"
  bad=1
fi
exit $bad
