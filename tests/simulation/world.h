// The simulated world: virtual time, what is to happen in it, chance from a seed, and a record of
// what happened. The same seed gives the same world.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <stdexcept>
#include <string>
#include <vector>

namespace windrow::simulation {

using Time = std::chrono::steady_clock::time_point;

// A promise of Windrow's was broken.
struct BrokenRule : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline Time::duration duration(double seconds) {
  return std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double real() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
  int between(int low, int high) { return low + below(high - low + 1); }  // both included
  double between(double low, double high) { return low + (high - low) * real(); }
  bool chance(double probability) { return real() < probability; }
  template <class T>
  T& of(std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<int>(choices.size())))];
  }

 private:
  std::uint64_t state_;
};

// SplitMix64's finalizer.
std::uint64_t mixed(std::uint64_t value);

class World {
 public:
  using Tell = std::function<void(const std::string& line)>;

  // `tell` gets a line for each thing that happens; empty: nobody wants to know.
  World(std::uint64_t seed, Tell tell);

  Time now() const { return now_; }
  double seconds() const { return std::chrono::duration<double>(now_ - Time{}).count(); }

  // Chance of its own for each part, so that one that draws more leaves the others as they were.
  Random& random() { return random_; }

  void at(Time when, std::function<void()> what);  // in the order of planning, where it is one time
  void after(double seconds, std::function<void()> what);
  // The next thing happens; false: nothing ever will.
  bool go_on();

  void say(const std::string& who, const std::string& what);
  bool is_told() const { return static_cast<bool>(tell_); }
  // A fault fired.
  void fault(const std::string& kind, const std::string& where);
  const std::map<std::string, int>& faults() const { return faults_; }
  int fired() const;  // in all

 private:
  struct Event {
    Time at;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  Tell tell_;
  Random random_;
  Time now_{};
  std::uint64_t scheduled_ = 0;
  std::priority_queue<Event> events_;
  std::map<std::string, int> faults_;
};

}  // namespace windrow::simulation
