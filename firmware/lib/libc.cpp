// SPDX-License-Identifier: GPL-2.0-only
// The C names that clang emits calls to. Guest code only: natively the C library has them.
#include <cstddef>

#include "lib/memory.h"
#include "lib/string.h"

namespace fw = pkvmemu::fw;

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
  fw::copy_bytes(to, from, size);
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  fw::move_bytes(to, from, size);
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  fw::fill_bytes(to, static_cast<unsigned char>(value), size);
  return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
  return fw::compare_bytes(a, b, size);
}

void* memchr(const void* from, int wanted, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i)
    if (bytes[i] == static_cast<unsigned char>(wanted))
      return const_cast<unsigned char*>(bytes + i);
  return nullptr;
}

std::size_t strlen(const char* text) {
  return fw::string_length(text);
}
}

// What <string_view> and <array> call instead of throwing: a bug of ours, so a BRK.
namespace std {
void __throw_out_of_range_fmt(const char* /*format*/, ...) {
  __builtin_trap();
}
}  // namespace std
