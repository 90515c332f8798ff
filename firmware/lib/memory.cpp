// SPDX-License-Identifier: GPL-2.0-only
#include "lib/memory.h"

#include <cstdint>

namespace pkvmemu::fw {

namespace {

// Words are moved only at aligned addresses, so these also work with the MMU off (Device memory).
using Word __attribute__((may_alias)) = std::uint64_t;
/// Eight at a time: a megabyte is zeroed at every boot. Never a plain assignment: for that the
/// compiler may call memcpy, which is us.
struct __attribute__((may_alias)) Block {
  Word words[8];
};
constexpr std::uintptr_t word_mask = sizeof(Word) - 1;

bool word_aligned(const void* a, const void* b) {
  return ((reinterpret_cast<std::uintptr_t>(a) | reinterpret_cast<std::uintptr_t>(b)) &
          word_mask) == 0;
}

}  // namespace

void copy_bytes(void* to, const void* from, std::size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (word_aligned(out, in)) {
    for (; size >= sizeof(Block); size -= sizeof(Block)) {
      __builtin_memcpy_inline(out, in, sizeof(Block));
      out += sizeof(Block);
      in += sizeof(Block);
    }
    for (; size >= sizeof(Word); size -= sizeof(Word)) {
      *reinterpret_cast<Word*>(out) = *reinterpret_cast<const Word*>(in);
      out += sizeof(Word);
      in += sizeof(Word);
    }
  }
  for (; size != 0; --size)
    *out++ = *in++;
}

void move_bytes(void* to, const void* from, std::size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  // Forward is safe unless `to` lies inside the source, above its start.
  if (reinterpret_cast<std::uintptr_t>(out) - reinterpret_cast<std::uintptr_t>(in) >= size) {
    copy_bytes(to, from, size);
    return;
  }
  while (size != 0) {
    --size;
    out[size] = in[size];
  }
}

void fill_bytes(void* to, unsigned char value, std::size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  for (; size != 0 && !word_aligned(out, out); --size)
    *out++ = value;
  const Word word = 0x0101'0101'0101'0101 * std::uint64_t{value};
  for (; size >= sizeof(Block); size -= sizeof(Block)) {
    for (Word& each : reinterpret_cast<Block*>(out)->words)
      each = word;
    out += sizeof(Block);
  }
  for (; size >= sizeof(Word); size -= sizeof(Word)) {
    *reinterpret_cast<Word*>(out) = word;
    out += sizeof(Word);
  }
  for (; size != 0; --size)
    *out++ = value;
}

int compare_bytes(const void* a, const void* b, std::size_t size) {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  for (std::size_t i = 0; i < size; ++i)
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  return 0;
}

}  // namespace pkvmemu::fw
