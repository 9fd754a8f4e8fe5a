// The lead's side of a gang: helpers come and go between epochs, told through a store that the lead
// keeps. Keys: "here/N" is set by helper N when it can train, "leaving/N" when it wants to go;
// "to/N/I" is the lead's instruction number I to helper N, and "joins/N/G" its answer to the one
// that begins the gang's form number G: it is alive.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "protocol/messages.h"
#include "worker/gang/c10d_gang.h"

namespace windrow::worker {

// What the lead tells a helper before each epoch.
struct Instruction {
  bool end = false;    // leave
  int epoch = 1;       // train this epoch, in a gang that
  int generation = 0;  // is this one: the number of the gang's forms so far
  int rank = 1, size = 2;
  friend bool operator==(const Instruction&, const Instruction&) = default;
};
std::string to_text(const Instruction& instruction);
Instruction instruction_from(const std::string& text);
std::string instruction_key(int helper, int number);  // numbers count from 0
std::string joining_key(int helper, int generation);

// The gang of generation `generation` of the attempt whose store this is.
std::unique_ptr<Gang> join_generation(const StorePtr& store, int generation,
                                      const GangMember& member);

class GangLead {
 public:
  // `widest`: members that the gang may have at most; 1: it takes no helpers and keeps no store.
  GangLead(int widest, at::Device device, std::chrono::milliseconds deadline);
  ~GangLead();

  int port() const { return port_; }  // of the store; 0: none
  Gang& gang() { return *gang_; }

  // Before an epoch: forms the gang anew when `wanted` helpers came or others are no longer wanted,
  // gives new members the state, and sends away those that were `released`, which may not have come
  // yet. Throws TrainerError{gang}.
  void settle(const std::vector<int>& wanted, const std::vector<int>& released, int epoch,
              const std::vector<at::Tensor>& state);

  void dismiss();  // all helpers: no epoch follows. Throws nothing.

 private:
  bool is_set(const char* what, int helper) const;
  void tell(int helper, const Instruction& instruction);
  void send_away(int helper);
  void await_members() const;

  int widest_;
  at::Device device_;
  std::chrono::milliseconds deadline_;
  StorePtr store_;
  int port_ = 0;
  int generation_ = 0;
  std::vector<int> members_;  // helpers in the gang, in the order of their ranks
  std::map<int, int> told_;   // instructions given, by helper
  std::set<int> sent_away_;
  std::unique_ptr<Gang> gang_;  // last: it ends before its store
};

}  // namespace windrow::worker
