#include "tests/simulation/world.h"

#include <cstdio>
#include <utility>

namespace windrow::simulation {

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

std::uint64_t Random::next() {
  return mixed(state_ += 0x9e3779b97f4a7c15ULL);
}

World::World(std::uint64_t seed, Tell tell) : tell_(std::move(tell)), random_(mixed(seed)) {}

void World::after(double seconds, std::function<void()> what) {
  at(now_ + duration(seconds > 0 ? seconds : 0), std::move(what));
}

void World::at(Time when, std::function<void()> what) {
  events_.push({when, ++scheduled_, std::move(what)});
}

bool World::go_on() {
  if (events_.empty()) return false;
  const std::function<void()> what = std::move(const_cast<Event&>(events_.top()).what);
  now_ = events_.top().at;
  events_.pop();
  what();
  return true;
}

void World::say(const std::string& who, const std::string& what) {
  if (!tell_) return;
  char time[32];
  std::snprintf(time, sizeof time, "%10.4f  ", seconds());
  tell_(time + who + ": " + what);
}

int World::fired() const {
  int all = 0;
  for (const auto& [kind, count] : faults_) all += count;
  return all;
}

void World::fault(const std::string& kind, const std::string& where) {
  ++faults_[kind];
  say("FAULT", kind + ", " + where);
}

}  // namespace windrow::simulation
