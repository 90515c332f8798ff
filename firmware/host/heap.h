// SPDX-License-Identifier: GPL-2.0-only
// kmalloc for modules: power-of-two objects in slab pages up to half a page, whole pages above.
// Objects are aligned to their size, as kernel code may expect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pkvmemu::host {

/// Who asks: a module, or the kernel for its own records.
enum class HeapUse : std::uint8_t { module, record };

class HeapPages {
 public:
  /// Consecutive pages at a page-aligned address; nullptr when there are none.
  virtual std::byte* take(std::size_t pages, HeapUse use) = 0;
  virtual void give_back(std::byte* first, std::size_t pages) = 0;

 protected:
  ~HeapPages() = default;
};

class Heap {
 public:
  constexpr explicit Heap(HeapPages& pages) : pages_(&pages) {}

  /// nullptr for size 0, and when memory or the list of large objects is exhausted. Not zeroed.
  void* allocate(std::size_t size);
  /// The same for the kernel's own records, which no fault of a plan takes away: a module asked
  /// for none of them, and a real kernel has them by then.
  void* allocate_record(std::size_t size);
  /// nullptr is allowed; anything else came from allocate().
  void release(void* object);
  /// Bytes that may be used behind an object.
  std::size_t size_of(const void* object) const;

 private:
  static constexpr std::size_t smallest_shift = 4;
  static constexpr std::size_t class_count = 8;  // 16 to 2048 bytes
  static constexpr std::size_t max_large = 64;

  struct FreeObject {
    FreeObject* next;
  };
  /// At the end of a slab page, so that objects start at its beginning.
  struct SlabTrailer {
    std::uint64_t magic;
    std::size_t size_class;
  };
  struct Large {
    std::byte* first;
    std::size_t pages;
  };

  static std::size_t size_of_class(std::size_t size_class);
  void* allocate_for(HeapUse use, std::size_t size);
  bool refill(HeapUse use, std::size_t size_class);
  void* allocate_large(HeapUse use, std::size_t size);
  const Large* find_large(const void* object) const;
  static SlabTrailer& trailer_of(const void* object);

  HeapPages* pages_;
  std::array<FreeObject*, class_count> free_{};
  std::array<Large, max_large> large_{};
};

}  // namespace pkvmemu::host
