// SPDX-License-Identifier: GPL-2.0-only
// Memory that can be reached at more than one address, as physical memory is.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pkvmemu::hyp::test {

class Backing {
 public:
  /// Zeroed; begins at a multiple of `alignment`.
  Backing(std::size_t size, std::size_t alignment);
  ~Backing();
  Backing(const Backing&) = delete;
  Backing& operator=(const Backing&) = delete;

  [[nodiscard]] void* begin() const { return begin_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  /// The page at `offset` appears at `va`, too.
  void show(std::uint64_t va, std::size_t offset) const;

 private:
  std::size_t size_;
  int file_;
  std::byte* begin_;
};

}  // namespace pkvmemu::hyp::test
