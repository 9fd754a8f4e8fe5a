// A binary heap of small non-negative integers (indices of slots or groups), each with a key that
// can be changed or removed in O(log n). `Before` orders keys: the top is before all others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace windrow::scheduler {

template <class Key, class Before = std::less<Key>>
class IndexedHeap {
 public:
  bool empty() const { return nodes_.empty(); }
  std::size_t size() const { return nodes_.size(); }
  int top() const { return nodes_.front().item; }
  const Key& top_key() const { return nodes_.front().key; }
  bool contains(int item) const {
    return static_cast<std::size_t>(item) < position_.size() && position_[item] != kAbsent;
  }

  template <class Predicate>
  bool any_of(Predicate holds) const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [&](const Node& node) { return holds(node.item); });
  }

  // Inserts the item, or changes its key.
  void set(int item, Key key) {
    if (static_cast<std::size_t>(item) >= position_.size()) position_.resize(item + 1, kAbsent);
    std::size_t at = position_[item];
    if (at == kAbsent) {
      at = nodes_.size();
      nodes_.push_back({std::move(key), item});
      position_[item] = at;
    } else {
      nodes_[at].key = std::move(key);
    }
    sift_down(sift_up(at));
  }

  // Nothing happens where the item is absent.
  void erase(int item) {
    if (!contains(item)) return;
    const std::size_t at = position_[item];
    const std::size_t last = nodes_.size() - 1;
    if (at != last) swap_nodes(at, last);
    nodes_.pop_back();
    position_[item] = kAbsent;
    if (at != last) sift_down(sift_up(at));
  }

 private:
  struct Node {
    Key key;
    int item;
  };
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  std::size_t sift_up(std::size_t at) {
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!before_(nodes_[at].key, nodes_[parent].key)) break;
      swap_nodes(at, parent);
      at = parent;
    }
    return at;
  }

  void sift_down(std::size_t at) {
    for (;;) {
      std::size_t best = at;
      for (std::size_t child = 2 * at + 1; child <= 2 * at + 2 && child < nodes_.size(); ++child)
        if (before_(nodes_[child].key, nodes_[best].key)) best = child;
      if (best == at) return;
      swap_nodes(at, best);
      at = best;
    }
  }

  void swap_nodes(std::size_t a, std::size_t b) {
    std::swap(nodes_[a], nodes_[b]);
    position_[nodes_[a].item] = a;
    position_[nodes_[b].item] = b;
  }

  std::vector<Node> nodes_;
  std::vector<std::size_t> position_;  // of each item in nodes_
  Before before_;
};

}  // namespace windrow::scheduler
