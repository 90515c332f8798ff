// SPDX-License-Identifier: GPL-2.0-only
#include "host/task.h"

#include <array>

#include "host/arch.h"
#include "host/sections.h"
#include "lib/memory.h"
#include "pkvm/task.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

/// Of head.S; the first page is the kernel's own.
constexpr std::uint64_t per_cpu_size = 0x3000;
constexpr std::uint64_t per_cpu_reserved = 0x1000;

alignas(page_size) constinit std::array<std::byte, per_cpu_size> per_cpu_area{};
constinit std::uint64_t per_cpu_used = per_cpu_reserved;
constinit unsigned per_cpu_pieces = 0;

template <typename T>
void store(std::uint32_t offset, T value) {
  fw::copy_bytes(task_struct + offset, &value, sizeof(value));
}

constinit bool pauth = false;
/// The same in all runs.
constexpr std::uint64_t pauth_key = 0x1eaf'cafe'0f0e'1d2c;

/// What user-mode helpers of a booting kernel have, near enough.
constexpr std::uint32_t pid = 1;

}  // namespace

void task_init(pkvm::Generation generation) {
  const auto shadow = reinterpret_cast<std::uint64_t>(shadow_stack);
  store(0, pkvm::task::ThreadInfo{.flags = 0,
                                  .ttbr0 = 0,
                                  .preempt_count = pkvm::task::nothing_to_reschedule,
                                  .scs_base = shadow,
                                  .scs_sp = shadow,
                                  .cpu = 0});
  const pkvm::task::Layout& layout = pkvm::task::layout_of(generation);
  store(layout.pid, pid);
  store(layout.tgid, pid);
  store(layout.stack_canary, pkvm::task::canary);
  arch::set_per_cpu_offset(per_cpu_offset());
}

void enable_pauth() {
  pauth = true;
  restore_pauth_keys();
  arch::sign_pointers();
}

void restore_pauth_keys() {
  if (pauth) arch::set_pauth_keys(pauth_key);
}

std::uint64_t per_cpu_offset() {
  return reinterpret_cast<std::uint64_t>(per_cpu_area.data()) -
         reinterpret_cast<std::uint64_t>(per_cpu_addresses);
}

std::optional<kmod::Memory> allocate_per_cpu(std::uint64_t size, std::uint64_t alignment) {
  const std::uint64_t at = align_up(per_cpu_used, alignment);
  if (at > per_cpu_size || size > per_cpu_size - at) return std::nullopt;
  per_cpu_used = at + size;
  ++per_cpu_pieces;
  std::byte* const bytes = per_cpu_area.data() + at;
  fw::fill_bytes(bytes, 0, size);
  return kmod::Memory{.address = KernVa{reinterpret_cast<std::uint64_t>(per_cpu_addresses) + at},
                      .bytes = {bytes, static_cast<std::size_t>(size)}};
}

void free_per_cpu(const kmod::Memory& memory) {
  const std::uint64_t at =
      memory.address.value - reinterpret_cast<std::uint64_t>(per_cpu_addresses);
  if (at + memory.bytes.size() == per_cpu_used) per_cpu_used = at;
  if (--per_cpu_pieces == 0) per_cpu_used = per_cpu_reserved;
}

bool is_shadow_stack_overflow(std::uint64_t address, std::uint64_t x18) {
  const auto end = reinterpret_cast<std::uint64_t>(per_cpu_addresses);
  return address >= end && address < end + page_size && x18 >= end && x18 < end + page_size;
}

}  // namespace pkvmemu::host
