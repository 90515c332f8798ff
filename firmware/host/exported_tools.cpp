// SPDX-License-Identifier: GPL-2.0-only
// Exported tools that need no state: sorting and searching, bit maps, CPU masks of a machine with
// one CPU, sizes of what user space would have given.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "lib/memory.h"

namespace {

constexpr unsigned long word_bits = 64;

using Compare = int (*)(const void* a, const void* b);
using CompareWith = int (*)(const void* a, const void* b, const void* data);
using Swap = void (*)(void* a, void* b, int size);

bool bit(const std::uint64_t* map, unsigned long index) {
  return (map[index / word_bits] >> (index % word_bits) & 1) != 0;
}

/// The first at or behind `from` for which it holds; `size` when there is none.
template <typename Condition>
unsigned long first_bit(unsigned long size, unsigned long from, Condition holds) {
  for (unsigned long i = from; i < size; ++i)
    if (holds(i)) return i;
  return size;
}

void swap_bytes(void* a, void* b, std::size_t size) {
  auto* left = static_cast<std::uint8_t*>(a);
  std::swap_ranges(left, left + size, static_cast<std::uint8_t*>(b));
}

/// Heap sort, as the kernel's: no memory, and never worse than n log n.
template <typename Order, typename Exchange>
void heap_sort(std::uint8_t* base, std::size_t count, std::size_t size, Order order,
               Exchange exchange) {
  const auto at = [&](std::size_t i) { return base + i * size; };
  const auto sift = [&](std::size_t root, std::size_t end) {
    for (std::size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
      if (child + 1 < end && order(at(child), at(child + 1)) < 0) ++child;
      if (order(at(root), at(child)) >= 0) return;
      exchange(at(root), at(child));
      root = child;
    }
  };
  for (std::size_t i = count / 2; i-- > 0;)
    sift(i, count);
  for (std::size_t end = count; end-- > 1;) {
    exchange(at(0), at(end));
    sift(0, end);
  }
}

}  // namespace

extern "C" {

void export_sort(void* base, std::size_t count, std::size_t size, Compare compare, Swap swap) {
  heap_sort(static_cast<std::uint8_t*>(base), count, size, compare, [&](void* a, void* b) {
    if (swap != nullptr)
      swap(a, b, static_cast<int>(size));
    else
      swap_bytes(a, b, size);
  });
}
/// The swap function gets the data, too, which one that ignores it does not notice.
void export_sort_r(void* base, std::size_t count, std::size_t size, CompareWith compare,
                   void (*swap)(void* a, void* b, int size, const void* data), const void* data) {
  heap_sort(
      static_cast<std::uint8_t*>(base), count, size,
      [&](const void* a, const void* b) { return compare(a, b, data); },
      [&](void* a, void* b) {
        if (swap != nullptr)
          swap(a, b, static_cast<int>(size), data);
        else
          swap_bytes(a, b, size);
      });
}

void* export_bsearch(const void* key, const void* base, std::size_t count, std::size_t size,
                     Compare compare) {
  const auto* low = static_cast<const std::uint8_t*>(base);
  while (count > 0) {
    const std::uint8_t* middle = low + count / 2 * size;
    const int order = compare(key, middle);
    if (order == 0) return const_cast<std::uint8_t*>(middle);
    if (order > 0) {
      low = middle + size;
      --count;
    }
    count /= 2;
  }
  return nullptr;
}

unsigned long export_find_first_bit(const std::uint64_t* map, unsigned long size) {
  return first_bit(size, 0, [=](unsigned long i) { return bit(map, i); });
}
unsigned long export_find_first_zero_bit(const std::uint64_t* map, unsigned long size) {
  return first_bit(size, 0, [=](unsigned long i) { return !bit(map, i); });
}
unsigned long export_find_next_bit(const std::uint64_t* map, unsigned long size,
                                   unsigned long from) {
  return first_bit(size, from, [=](unsigned long i) { return bit(map, i); });
}
unsigned long export_find_next_zero_bit(const std::uint64_t* map, unsigned long size,
                                        unsigned long from) {
  return first_bit(size, from, [=](unsigned long i) { return !bit(map, i); });
}
unsigned long export_find_next_and_bit(const std::uint64_t* a, const std::uint64_t* b,
                                       unsigned long size, unsigned long from) {
  return first_bit(size, from, [=](unsigned long i) { return bit(a, i) && bit(b, i); });
}
unsigned long export_find_last_bit(const std::uint64_t* map, unsigned long size) {
  for (unsigned long i = size; i-- > 0;)
    if (bit(map, i)) return i;
  return size;
}
void export_bitmap_set(std::uint64_t* map, unsigned from, int count) {
  for (unsigned i = from; count-- > 0; ++i)
    map[i / word_bits] |= std::uint64_t{1} << (i % word_bits);
}
void export_bitmap_clear(std::uint64_t* map, unsigned from, int count) {
  for (unsigned i = from; count-- > 0; ++i)
    map[i / word_bits] &= ~(std::uint64_t{1} << (i % word_bits));
}
unsigned export_bitmap_weight(const std::uint64_t* map, unsigned size) {
  unsigned count = 0;
  for (unsigned i = 0; i < size; ++i)
    count += bit(map, i) ? 1 : 0;
  return count;
}
unsigned export_hweight64(std::uint64_t value) {
  return export_bitmap_weight(&value, word_bits);
}
unsigned export_hweight32(std::uint32_t value) {
  return export_hweight64(value);
}

int export_smp_call_function_single(int cpu, void (*function)(void*), void* data, int /*wait*/) {
  constexpr int no_such_device = -6;
  if (cpu != 0) return no_such_device;
  function(data);
  return 0;
}
int export_stop_machine(int (*function)(void*), void* data, const void* /*cpus*/) {
  return function(data);
}

/// There is no user space: nothing is copied.
unsigned long export_copy_nothing(void* /*to*/, const void* /*from*/, unsigned long size) {
  return size;
}

/// Modules of this kernel stay.
bool export_true(const void* /*module*/) {
  return true;
}
void export_nothing() {}
int export_zero() {
  return 0;
}
}
