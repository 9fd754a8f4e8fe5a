// Content hashes: XXH3, 128 bits, as 32 hexadecimal digits. For identity and integrity, not
// against an adversary.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace windrow::protocol {

std::string content_hash(std::string_view bytes);

// The same over pieces, in order.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void update(const void* data, std::size_t bytes);
  void update(std::string_view bytes) { update(bytes.data(), bytes.size()); }
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace windrow::protocol
