// SPDX-License-Identifier: GPL-2.0-only
// What inlines of kernel headers find at SP_EL0: a struct task_struct, which starts with struct
// thread_info. GKI builds both with ARM64_SW_TTBR0_PAN and SHADOW_CALL_STACK, and freezes the
// layout of each generation with its KMI: the offsets are those of the type descriptions that
// Android publishes with each kernel.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvm::task {

/// struct thread_info, the same in every generation.
struct ThreadInfo {
  std::uint64_t flags;
  std::uint64_t ttbr0;
  /// Low half: how often preemption is disabled. High half: 0 asks for a rescheduling, so that one
  /// comparison of all 64 bits with 0 tells both.
  std::uint64_t preempt_count;
  std::uint64_t scs_base;
  std::uint64_t scs_sp;
  std::uint32_t cpu;
};
static_assert(sizeof(ThreadInfo) == 48);

/// `__state` lies behind it in every generation: 0 is running.
inline constexpr std::uint32_t state_offset = 48;

inline constexpr std::uint64_t nothing_to_reschedule = std::uint64_t{1} << 32;

/// Fields of struct task_struct behind it, in bytes.
struct Layout {
  std::uint32_t pid;
  std::uint32_t tgid;
  std::uint32_t stack_canary;
};

inline constexpr std::array<Layout, generation_count> layouts = {{
    {.pid = 1584, .tgid = 1588, .stack_canary = 1592},
    {.pid = 1560, .tgid = 1564, .stack_canary = 1568},
    {.pid = 1800, .tgid = 1804, .stack_canary = 1808},
}};

constexpr const Layout& layout_of(Generation generation) {
  return layouts[static_cast<std::size_t>(generation)];
}

/// Kernel parameter: the kernel signs return addresses ("0" or "1"; off by default).
inline constexpr std::string_view param_pauth = "pkvmemu.pauth";

/// One for all runs, as everything else is. Its lowest byte is 0, so that no string runs over it.
inline constexpr std::uint64_t canary = 0x5afe'57ac'0b5e'5500;

}  // namespace pkvm::task
