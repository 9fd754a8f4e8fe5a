// windrow-simulate: whole runs in a simulated world. A seed that breaks a rule is told, and can be
// looked at by itself.
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "tests/simulation/simulation.h"

namespace {

using namespace windrow::simulation;

constexpr const char* kHelp =
    "windrow-simulate --seed N           one run, with a line for each thing that happens\n"
    "windrow-simulate --seeds N [FIRST]  N runs from seed FIRST (1) on, and what fired in them\n";

std::uint64_t number(const char* text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  if (error != std::errc() || *end != '\0') {
    std::cerr << text << ": is no number\n" << kHelp;
    std::exit(2);
  }
  return value;
}

bool run(std::uint64_t seed, const World::Tell& tell, Outcome& sum) {
  try {
    const Outcome outcome = simulate(seed, tell);
    for (const auto& [kind, count] : outcome.faults) sum.faults[kind] += count;
    sum.sessions += outcome.sessions;
    sum.trials += outcome.trials;
    sum.epochs += outcome.epochs;
    sum.seconds += outcome.seconds;
    return true;
  } catch (const std::exception& error) {
    std::cout << "seed " << seed << ": " << error.what() << std::endl;
    return false;
  }
}

void tell_sum(std::uint64_t runs, std::uint64_t broken, const Outcome& sum) {
  std::cout << runs << " runs, " << broken << " broke a rule; " << sum.sessions << " sessions, "
            << sum.trials << " trials, " << sum.epochs << " epochs, "
            << static_cast<long>(sum.seconds / 3600) << " simulated hours\n";
  for (const std::string& kind : fault_kinds())
    std::cout << "  " << (sum.faults.contains(kind) ? sum.faults.at(kind) : 0) << "  " << kind
              << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  Outcome sum;
  if (argc == 3 && std::strcmp(argv[1], "--seed") == 0) {
    const bool well = run(
        number(argv[2]), [](const std::string& line) { std::cout << line << "\n"; }, sum);
    tell_sum(1, well ? 0 : 1, sum);
    return well ? 0 : 1;
  }
  if ((argc == 3 || argc == 4) && std::strcmp(argv[1], "--seeds") == 0) {
    const std::uint64_t runs = number(argv[2]), first = argc == 4 ? number(argv[3]) : 1;
    std::uint64_t broken = 0;
    for (std::uint64_t seed = first; seed < first + runs; ++seed)
      broken += run(seed, {}, sum) ? 0 : 1;
    tell_sum(runs, broken, sum);
    return broken == 0 ? 0 : 1;
  }
  std::cerr << kHelp;
  return 2;
}
